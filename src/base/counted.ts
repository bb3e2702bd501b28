/** `1 byte`, `2 bytes`: an amount of things whose plural ends in s. */
export function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
