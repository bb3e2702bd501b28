/** Documents of the commands on hooks. */
export const hookDocuments = {} as const;
