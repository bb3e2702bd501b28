/** Documents of `batch`. */
export const batchDocuments = {} as const;
