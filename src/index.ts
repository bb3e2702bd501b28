/** netkit as a library. */
export { type ErrorCode, type ErrorContext, errorTable, NetkitError } from './base/errors.js';
