/** How an interface is set up. */
import { NetkitError } from '../base/errors.js';
import { InterfaceControl } from '../sys/ethtool.js';
import { type Netns, withNetns } from './netns.js';

/** What an interface's driver is and does. */
export interface InterfaceSettings {
  /** Empty for interfaces without one. */
  readonly driver: string;
  /** Those that are on, in ethtool's words. */
  readonly offloads: readonly string[];
}

export function interfaceSettings(netns: Netns | undefined, ifname: string): InterfaceSettings {
  return withNetns(netns, () => {
    using control = new InterfaceControl();
    return { driver: control.driver(ifname) ?? '', offloads: control.offloads(ifname) };
  });
}

/** Switches generic receive offload. @throws NetkitError `unsupported` when the interface has none */
export function setGro(netns: Netns | undefined, ifname: string, on: boolean): void {
  const done = withNetns(netns, () => {
    using control = new InterfaceControl();
    return control.setGro(ifname, on);
  });
  if (!done) throw new NetkitError('unsupported', `${ifname} has no generic receive offload`);
}

/** Switches segmentation of TCP by the interface. @throws NetkitError `unsupported` when it has none */
export function setTso(netns: Netns | undefined, ifname: string, on: boolean): void {
  const done = withNetns(netns, () => {
    using control = new InterfaceControl();
    return control.setTso(ifname, on);
  });
  if (!done) throw new NetkitError('unsupported', `${ifname} does no segmentation of TCP`);
}
