/**
 * Places of the files' data in a squashfs. Options -noI -no-fragments -no-sparse must have made it: then its
 * inodes are not compressed, and each file is a row of whole blocks. Format: Linux,
 * fs/squashfs/squashfs_fs.h. Pure.
 * @module
 */

/** A block of data. */
export interface Block {
  /** Bytes from the beginning of the file system. */
  readonly offset: number;
  /** Bytes that it takes there. */
  readonly size: number;
  readonly compressed: boolean;
}

/** A regular file. */
export interface FileBlocks {
  readonly fileSize: number;
  readonly blocks: readonly Block[];
}

const MAGIC = 0x73717368;
const NO_FRAGMENT = 0xffffffff;
/** Of a metadata block (16 bits) and of a data block (32 bits): not compressed. */
const PLAIN_METADATA = 0x8000;
const PLAIN_DATA = 0x1000000;
const DIRECTORY = 1;
const FILE = 2;
/** Bytes of the fields before the list of block sizes, and of a whole directory. */
const FILE_HEADER = 32;
const DIRECTORY_SIZE = 32;

/** Throws what it found. */
function unexpected(what: string): never {
  throw new Error(`Not a squashfs as it was asked for: ${what}`);
}

/** The inode table: metadata blocks, each with its size before it. */
function readInodes(view: DataView): DataView {
  const start = Number(view.getBigUint64(64, true));
  const end = Number(view.getBigUint64(72, true)); // of the directory table
  const pieces: Uint8Array[] = [];
  for (let at = start; at < end;) {
    const header = view.getUint16(at, true);
    if (!(header & PLAIN_METADATA)) unexpected("compressed inodes");
    const size = header & (PLAIN_METADATA - 1);
    pieces.push(new Uint8Array(view.buffer, view.byteOffset + at + 2, size));
    at += 2 + size;
  }
  const table = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    table.set(piece, at);
    at += piece.length;
  }
  return new DataView(table.buffer);
}

/** The regular files in the order of their inodes: directories by name, and in them the files by name. */
export function readDataBlocks(image: Uint8Array): FileBlocks[] {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (view.getUint32(0, true) !== MAGIC) unexpected("no magic number");
  const blockSize = view.getUint32(12, true);
  const inodes = readInodes(view);
  const files: FileBlocks[] = [];
  for (let at = 0; at < inodes.byteLength;) {
    const type = inodes.getUint16(at, true);
    if (type === DIRECTORY) {
      at += DIRECTORY_SIZE;
      continue;
    }
    if (type !== FILE) unexpected(`an inode of type ${type}`);
    if (inodes.getUint32(at + 20, true) !== NO_FRAGMENT) unexpected("a fragment");
    const fileSize = inodes.getUint32(at + 28, true);
    const count = Math.ceil(fileSize / blockSize);
    let offset = inodes.getUint32(at + 16, true);
    const blocks = Array.from({ length: count }, (_, index): Block => {
      const word = inodes.getUint32(at + FILE_HEADER + 4 * index, true);
      const block = { offset, size: word & (PLAIN_DATA - 1), compressed: !(word & PLAIN_DATA) };
      if (block.size === 0) unexpected("a hole");
      offset += block.size;
      return block;
    });
    files.push({ fileSize, blocks });
    at += FILE_HEADER + 4 * count;
  }
  return files;
}
