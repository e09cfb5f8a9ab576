import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { problemOf, run } from './commands.ts'

/** EXT4_IOC_SHUTDOWN with NOLOGFLUSH: what is not on the disk yet never gets there, and every later access fails. */
const SHUTDOWN = 'open(my $f, "<", $ARGV[0]) or die $!; my $how = pack("L", 2); ioctl($f, 0x8004587d, $how) or die "ioctl: $!"'
const BALLAST = 'ballast'

/** An ext4 file system of its own for one node: it can be full, and it can lose what was not synced, as in a power cut. */
export class LoopDisk {
  readonly directory: string
  readonly #image: string

  private constructor(directory: string, image: string) {
    this.directory = directory
    this.#image = image
  }

  static create(directory: string, image: string, megabytes: number): LoopDisk {
    run('truncate', '-s', `${megabytes}M`, image)
    run('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0', image)
    mkdirSync(directory, { recursive: true })
    const disk = new LoopDisk(directory, image)
    disk.mount()
    problemOf(() => rmdirSync(join(directory, 'lost+found')))
    return disk
  }

  mount(): void {
    run('mount', '-o', 'loop', this.#image, this.directory)
  }

  /** Whoever used it must be gone. */
  unmount(): void {
    run('umount', this.directory)
  }

  cutPower(): void {
    run('perl', '-e', SHUTDOWN, this.directory)
  }

  /** Leaves no free block. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.directory)
    for (let bytes = bavail * bsize, part = 0; bytes >= bsize; part++) {
      const problem = problemOf(() => run('fallocate', '-l', String(bytes), join(this.directory, `${BALLAST}-${part}`)))
      if (problem !== null) bytes = Math.floor(bytes / 2)
      else bytes = statfsSync(this.directory).bavail * bsize
    }
  }

  drain(): void {
    for (const name of readdirSync(this.directory)) if (name.startsWith(BALLAST)) rmSync(join(this.directory, name))
  }

  wipe(): void {
    for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { recursive: true })
  }

  remove(): void {
    problemOf(() => run('umount', '-l', this.directory))
    if (existsSync(this.#image)) rmSync(this.#image)
  }
}
