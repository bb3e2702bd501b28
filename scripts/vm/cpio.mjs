// Archives in the "newc" form of cpio, the one that the kernel unpacks at its start.

const alignment = 4;

/**
 * An archive of files and folders, all root's.
 * @param entries each with its path, its mode (type and permissions) and, for a file, its content
 */
export function cpioArchive(entries) {
  const parts = [];
  const add = (buffer) => {
    parts.push(buffer, Buffer.alloc(-buffer.length & (alignment - 1)));
  };
  const all = [...entries, { path: 'TRAILER!!!', mode: 0 }];
  for (const [index, { path, mode, content = Buffer.alloc(0) }] of all.entries()) {
    const name = Buffer.from(`${path}\0`);
    // inode, mode, user, group, links, time, size, device (two), special device (two), length of the name, checksum
    const fields = [index + 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    add(Buffer.concat([Buffer.from(header), name]));
    add(content);
  }
  return Buffer.concat(parts);
}

export const folder = (path) => ({ path, mode: 0o040755 });
export const file = (path, content, permissions = 0o644) => ({
  path,
  mode: 0o100000 | permissions,
  content: Buffer.from(content),
});
