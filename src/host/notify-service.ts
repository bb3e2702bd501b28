import { NetkitError } from '../base/errors.js';
import { sendUnixDatagram } from '../sys/unix-datagram.js';

/**
 * Tells the service manager that started this process how it is, as sd_notify(3): `READY=1`, `STATUS=…`, `STOPPING=1`, a
 * line each.
 * @returns false where nobody wants to know ($NOTIFY_SOCKET is not set), or nobody listens: no reason to stop working
 */
export function notifyServiceManager(state: string): boolean {
  const address = process.env['NOTIFY_SOCKET'];
  // What begins otherwise is for virtual machines (vsock:).
  if (address === undefined || !/^[/@]./.test(address)) return false;
  try {
    sendUnixDatagram(address, Buffer.from(state));
    return true;
  } catch (error) {
    if (error instanceof NetkitError) return false;
    throw error;
  }
}
