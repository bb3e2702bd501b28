/** A Linux release that brought something: `5.10`. */
export type LinuxVersion = `${number}.${number}`;

/** Its two numbers, to be compared. */
export function versionNumbers(version: LinuxVersion): readonly [major: number, minor: number] {
  const [major = 0, minor = 0] = version.split('.', 2).map(Number);
  return [major, minor];
}

/** Negative when `one` is the older, 0 for the same. */
export function compareVersions(one: LinuxVersion, other: LinuxVersion): number {
  const [major, minor] = versionNumbers(one);
  const [otherMajor, otherMinor] = versionNumbers(other);
  return major - otherMajor || minor - otherMinor;
}
