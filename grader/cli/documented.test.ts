import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kitFolder, listExercises } from '#catalog/exercise.ts'
import { commands } from './program.ts'

const read = (file: string): string => readFileSync(join(kitFolder, file), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
const documents = globSync(['README.md', 'docs/*.md', 'exercises/*/README*.md'], { cwd: kitFolder })

test.each(documents)('what %s says to type can be typed', async (document) => {
  const lines = read(document).match(/npm run (?:--silent )?[a-z][^`\n&…]*/g) ?? []
  expect(lines).not.toEqual([])
  expect((await Promise.all(lines.map(unknownIn))).flat()).toEqual([])
})

test.each(listExercises())('both statements of $slug say how to grade, get a hint and play', ({ number, slug }) => {
  for (const file of ['README.md', 'README.vi.md']) {
    const statement = read(join('exercises', slug, file))
    for (const line of [`exercise ${number}`, `exercise ${number} -- --hint`, `play ${number}`]) expect(statement).toContain(`\`npm run ${line}\``)
  }
})

/** The words of a command line that no script and no command of ours knows. */
async function unknownIn(line: string): Promise<string[]> {
  const [script = '', ...rest] = line.trim().split(/\s+/).slice(2).filter((word) => word !== '--silent')
  if (!(script in scripts)) return [script]
  const command = await commands[script]?.load('en')
  const flags = new Set(command?.options.map(({ long }) => long))
  return rest.filter((word) => /^--./.test(word) && !flags.has(word))
}
