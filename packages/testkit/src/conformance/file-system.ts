/** What every FileSystem must do, as far as it can be seen without cutting the power. */
import { replaceFileDurably } from '@kavka/kernel'
import type { FileSystem } from '@kavka/kernel'

export interface FileSystemFixture {
  readonly fs: FileSystem
  /** An existing, empty directory for the test, as an absolute path. */
  readonly directory: string
  remove(): void
}

/** Registers the suite with Jest. */
export function fileSystemConformance(name: string, open: () => FileSystemFixture): void {
  describe(`${name} as FileSystem`, () => {
    let fixture: FileSystemFixture
    let fs: FileSystem
    const at = (path: string): string => `${fixture.directory}/${path}`
    const codeOf = (action: () => unknown): string => {
      try {
        action()
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? 'no code'
      }
      return 'nothing thrown'
    }

    beforeEach(() => {
      fixture = open()
      fs = fixture.fs
    })

    afterEach(() => fixture.remove())

    test('what is missing is ENOENT, or false', () => {
      expect(codeOf(() => fs.open(at('no'), 'read'))).toBe('ENOENT')
      expect(codeOf(() => fs.open(at('no'), 'read-write'))).toBe('ENOENT')
      expect(codeOf(() => fs.open(at('no/no'), 'create'))).toBe('ENOENT')
      expect(codeOf(() => fs.readFile(at('no')))).toBe('ENOENT')
      expect(codeOf(() => fs.list(at('no')))).toBe('ENOENT')
      expect(codeOf(() => fs.removeFile(at('no')))).toBe('ENOENT')
      expect(codeOf(() => fs.rename(at('no'), at('no2')))).toBe('ENOENT')
      expect(codeOf(() => fs.sizeBytes(at('no')))).toBe('ENOENT')
      expect(codeOf(() => fs.modifiedMs(at('no')))).toBe('ENOENT')
      expect(codeOf(() => fs.syncDirectory(at('no')))).toBe('ENOENT')
      expect(fs.exists(at('no'))).toBe(false)
      expect(fs.isDirectory(at('no'))).toBe(false)
      fs.removeDirectory(at('no'))
    })

    test('a file is written, read in whole and in part, and overwritten', () => {
      fs.writeFile(at('a'), 'hello')
      expect(fs.readFile(at('a')).toString()).toBe('hello')
      expect(fs.sizeBytes(at('a'))).toBe(5)
      const file = fs.open(at('a'), 'read')
      const target = Buffer.alloc(8, '.')
      expect(file.readSync(target, 2, 3, 1)).toBe(3)
      expect(target.toString()).toBe('..ell...')
      expect(file.readSync(target, 0, 8, 3)).toBe(2)
      expect(file.readSync(target, 0, 8, 99)).toBe(0)
      file.close()
      fs.writeFile(at('a'), Buffer.from('hi'))
      expect(fs.readFile(at('a')).toString()).toBe('hi')
    })

    test('positions are explicit: buffers are joined, gaps are zero, the asynchronous read agrees', async () => {
      const file = fs.open(at('a'), 'create')
      file.writevSync([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('cd')], 3)
      file.writevSync([Buffer.from('X')], 4)
      expect(file.sizeBytes()).toBe(7)
      const target = Buffer.alloc(7)
      expect(await file.read(target, 0, 7, 0)).toBe(7)
      expect(target).toEqual(Buffer.from('\0\0\0aXcd'))
      await file.sync()
      file.syncSync()
      file.close()
    })

    test('create keeps the content of an existing file', () => {
      fs.writeFile(at('a'), 'kept')
      fs.open(at('a'), 'create').close()
      expect(fs.readFile(at('a')).toString()).toBe('kept')
    })

    test('a file opened for reading cannot be written', () => {
      fs.writeFile(at('a'), 'x')
      const file = fs.open(at('a'), 'read')
      expect(codeOf(() => file.writevSync([Buffer.from('y')], 0))).toBe('EBADF')
      file.close()
    })

    test('truncating cuts, and grows with zeros', () => {
      fs.writeFile(at('a'), 'hello')
      const file = fs.open(at('a'), 'read-write')
      file.truncateSync(2)
      file.truncateSync(4)
      file.close()
      expect(fs.readFile(at('a'))).toEqual(Buffer.from('he\0\0'))
    })

    test('directories: parents are made, names are sorted, removal takes all', () => {
      fs.makeDirectory(at('x/y/z'))
      fs.makeDirectory(at('x/y/z'))
      fs.writeFile(at('x/y/b'), '')
      fs.writeFile(at('x/y/a'), '')
      expect(fs.list(at('x/y'))).toEqual(['a', 'b', 'z'])
      expect(fs.isDirectory(at('x/y'))).toBe(true)
      expect(fs.isDirectory(at('x/y/a'))).toBe(false)
      fs.syncDirectory(at('x/y'))
      fs.removeDirectory(at('x'))
      expect(fs.exists(at('x'))).toBe(false)
    })

    test('removal in the background takes a file, or a directory with all in it; what is missing is fine', async () => {
      fs.makeDirectory(at('x/y'))
      fs.writeFile(at('x/y/a'), 'a')
      fs.writeFile(at('b'), 'b')
      await fs.removeInBackground(at('x'))
      await fs.removeInBackground(at('b'))
      await fs.removeInBackground(at('b'))
      expect(fs.exists(at('x'))).toBe(false)
      expect(fs.exists(at('b'))).toBe(false)
    })

    test('the time of the last change is told; a rename is none, reading neither', async () => {
      fs.writeFile(at('a'), '1')
      const modifiedMs = fs.modifiedMs(at('a'))
      expect(Number.isInteger(modifiedMs)).toBe(true)
      fs.rename(at('a'), at('b'))
      fs.readFile(at('b'))
      await fs.syncDirectoryInBackground(fixture.directory)
      expect(fs.modifiedMs(at('b'))).toBe(modifiedMs)
      const file = fs.open(at('b'), 'read-write')
      file.writevSync([Buffer.from('2')], 0)
      file.close()
      expect(fs.modifiedMs(at('b'))).toBeGreaterThanOrEqual(modifiedMs)
    })

    test('a directory is synced in the background; a missing one is ENOENT', async () => {
      await expect(fs.syncDirectoryInBackground(fixture.directory)).resolves.toBeUndefined()
      await expect(fs.syncDirectoryInBackground(at('no'))).rejects.toMatchObject({ code: 'ENOENT' })
    })

    test('a rename replaces its target; open files follow; directories move with their content', () => {
      fs.writeFile(at('a'), 'new')
      fs.writeFile(at('b'), 'old')
      const file = fs.open(at('a'), 'read-write')
      fs.rename(at('a'), at('b'))
      file.writevSync([Buffer.from('NEW')], 0)
      file.close()
      expect(fs.exists(at('a'))).toBe(false)
      expect(fs.readFile(at('b')).toString()).toBe('NEW')
      fs.makeDirectory(at('d'))
      fs.writeFile(at('d/f'), '1')
      fs.rename(at('d'), at('e'))
      expect(fs.readFile(at('e/f')).toString()).toBe('1')
    })

    test('a removed file can still be read by who has it open', () => {
      fs.writeFile(at('a'), 'ghost')
      const file = fs.open(at('a'), 'read')
      fs.removeFile(at('a'))
      expect(fs.exists(at('a'))).toBe(false)
      const target = Buffer.alloc(5)
      expect(file.readSync(target, 0, 5, 0)).toBe(5)
      expect(target.toString()).toBe('ghost')
      file.close()
    })

    test('replaceFileDurably replaces and leaves no temporary', () => {
      replaceFileDurably(fs, at('a'), 'one')
      replaceFileDurably(fs, at('a'), 'two')
      expect(fs.readFile(at('a')).toString()).toBe('two')
      expect(fs.list(fixture.directory)).toEqual(['a'])
    })

    test('space is told', () => {
      const { totalBytes, usableBytes } = fs.space(fixture.directory)
      expect(totalBytes).toBeGreaterThan(0)
      expect(usableBytes).toBeLessThanOrEqual(totalBytes)
    })
  })
}
