/** Documents of the commands on what this kernel offers. */
export const featureDocuments = {} as const;
