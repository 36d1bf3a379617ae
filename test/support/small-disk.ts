/** A disk of a test's own that is soon full: a file system in memory, mounted at a temporary folder. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILLER = 'filler';
const CHUNK_BYTES = 1_048_576;

/** Needs leave to mount: see `describeWithSmallDisk`. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** Mounts a disk. @throws Error where that is not allowed */
  static mount(megabytes: number): SmallDisk {
    const folder = mkdtempSync(join(process.env['TEST_SMALL_DISK'] ?? tmpdir(), 'ensemble-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    return new SmallDisk(folder);
  }

  /** Takes all the room that is left; may be called again when others have given some back. */
  fill(): void {
    const file = openSync(join(this.folder, FILLER), 'a');
    try {
      for (let bytes = CHUNK_BYTES; bytes >= 1;) if (!wroteAll(file, bytes)) bytes = Math.floor(bytes / 2);
    } finally {
      closeSync(file);
    }
  }

  /** Gives back what `fill` took. */
  free(): void {
    rmSync(join(this.folder, FILLER), { force: true });
  }

  /** Takes the disk away with all that is on it. Whoever used it must have ended. */
  remove(): void {
    execFileSync('umount', ['--lazy', this.folder]);
    rmdirSync(this.folder);
  }
}

function wroteAll(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
