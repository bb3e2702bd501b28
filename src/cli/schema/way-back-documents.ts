/** Documents of the commands that take changes back. */
export const wayBackDocuments = {} as const;
