/** A temporary copy of the sources that can be patched and run: the product itself carries no switch for its planted bugs. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { patchesOf } from './mutant.ts'
import type { Mutant, Patch } from './mutant.ts'

/** Of the project, whether this runs from source or from a copy. */
export const projectRoot = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/** How often the text to be replaced occurs; exactly once is right. */
export function occurrencesOf({ file, find }: Patch, root = projectRoot): number {
  const path = join(root, file)
  return existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0
}

export class SourceTree {
  readonly root: string

  constructor(root = join(projectRoot, '.cache', 'simulation-mutants', String(process.pid))) {
    this.root = root
    rmSync(root, { recursive: true, force: true })
    for (const name of readdirSync(join(projectRoot, 'packages'))) {
      const from = join(projectRoot, 'packages', name)
      if (!existsSync(join(from, 'package.json'))) continue
      cpSync(join(from, 'src'), join(root, 'packages', name, 'src'), { recursive: true, filter: (path) => !/testdata|\.test\.ts$/.test(path) })
      cpSync(join(from, 'package.json'), join(root, 'packages', name, 'package.json'))
    }
    cpSync(join(projectRoot, 'test-cluster', 'simulation'), join(root, 'test-cluster', 'simulation'), { recursive: true })
    for (const file of ['package.json', 'test-cluster/package.json']) cpSync(join(projectRoot, file), join(root, file))
    this.#linkModules()
  }

  /** Runs `action` with the patches in place. */
  async with<T>(mutant: Mutant, action: () => Promise<T>): Promise<T> {
    const originals = new Map<string, string>()
    for (const { file, find, replace } of patchesOf(mutant)) {
      const path = join(this.root, file)
      const content = readFileSync(path, 'utf8')
      if (!originals.has(path)) originals.set(path, content)
      writeFileSync(path, content.replace(find, () => replace))
    }
    try {
      return await action()
    } finally {
      for (const [path, original] of originals) writeFileSync(path, original)
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  #linkModules(): void {
    const modules = join(projectRoot, 'node_modules')
    const ours = join(this.root, 'node_modules')
    mkdirSync(join(ours, '@kavka'), { recursive: true })
    for (const name of readdirSync(modules)) if (name !== '@kavka') symlinkSync(join(modules, name), join(ours, name))
    for (const name of readdirSync(join(this.root, 'packages'))) symlinkSync(join(this.root, 'packages', name), join(ours, '@kavka', name))
  }
}
