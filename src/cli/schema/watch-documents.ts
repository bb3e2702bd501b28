/** Documents of `map watch`. */
export const watchDocuments = {} as const;
