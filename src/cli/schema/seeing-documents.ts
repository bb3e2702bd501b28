/** Documents of the commands that show what runs where. */
export const seeingDocuments = {} as const;
