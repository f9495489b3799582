import type { Declaration, Node, Statement } from 'oxc-parser'
import type { Diagnostic } from '#scoring/outcome.ts'
import { placeAt } from './place.ts'
import { neighbour, type Source } from './sources.ts'

/** The exported functions and classes of the entry that have no doc comment. */
export function withoutDocComment(sources: readonly Source[]): Diagnostic[] {
  const [entry] = sources
  if (!entry) return []
  return documentable(entry, sources, new Set()).flatMap(({ name, source, statement }) => {
    if (hasDocComment(source, statement)) return []
    return [placeAt(source, statement.start, 'doc-comment', `\`${name}\` is exported without a doc comment.`)]
  })
}

interface Documentable {
  readonly name: string
  readonly source: Source
  /** Where its comment belongs: the export, or the declaration it names. */
  readonly statement: Node
}

function documentable(source: Source, all: readonly Source[], seen: Set<Source>): Documentable[] {
  if (seen.has(source)) return []
  seen.add(source)
  return source.program.body.flatMap((statement) => {
    switch (statement.type) {
      case 'ExportNamedDeclaration':
        if (statement.source) return reExported(source, statement.source.value, namesOf(statement), all, seen)
        if (statement.declaration) return declared(source, statement, statement.declaration)
        return statement.specifiers
          .filter((one) => isValue(statement, one) && !hasDocComment(source, one))
          .flatMap(({ local }) => ofLocal(source, nameOf(local), all, seen))
      case 'ExportAllDeclaration':
        return reExported(source, statement.source.value, null, all, seen)
      case 'ExportDefaultDeclaration':
        if (statement.declaration.type === 'Identifier') return ofLocal(source, statement.declaration.name, all, seen)
        return isFunction(statement.declaration) ? [{ name: 'default', source, statement }] : []
      default:
        return []
    }
  })
}

/** Functions, classes, and constants that hold one; overloads count once, at the first signature. */
function declared(source: Source, statement: Node, declaration: Declaration): Documentable[] {
  switch (declaration.type) {
    case 'FunctionDeclaration':
    case 'TSDeclareFunction': {
      const name = declaration.id?.name ?? 'default'
      return isFirstSignature(source, statement, name) ? [{ name, source, statement }] : []
    }
    case 'ClassDeclaration':
      return [{ name: declaration.id?.name ?? 'default', source, statement }]
    case 'VariableDeclaration':
      return declaration.declarations.flatMap(({ id, init }) =>
        id.type === 'Identifier' && init && isFunction(init) ? [{ name: id.name, source, statement }] : [],
      )
    default:
      return []
  }
}

function isFirstSignature(source: Source, statement: Node, name: string): boolean {
  const first = source.program.body.find((other) => functionName(other) === name)
  return first === undefined || first === statement
}

function functionName(statement: Statement): string | undefined {
  const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
  const isOne = declaration?.type === 'FunctionDeclaration' || declaration?.type === 'TSDeclareFunction'
  return isOne ? declaration.id?.name : undefined
}

/** `export { a }` without a comment there: it belongs to the declaration, here or in the neighbour it was imported from. */
function ofLocal(source: Source, name: string, all: readonly Source[], seen: Set<Source>): Documentable[] {
  for (const statement of source.program.body) {
    const found = 'declare' in statement ? declared(source, statement, statement as Declaration) : []
    const own = found.find((one) => one.name === name)
    if (own) return [own]
    if (statement.type !== 'ImportDeclaration') continue
    const imported = statement.specifiers.find(({ local }) => local.name === name)
    if (imported?.type !== 'ImportSpecifier') continue
    return reExported(source, statement.source.value, [nameOf(imported.imported)], all, seen)
  }
  return []
}

function reExported(
  source: Source,
  specifier: string,
  names: readonly string[] | null,
  all: readonly Source[],
  seen: Set<Source>,
): Documentable[] {
  const file = neighbour(source.name, specifier, (name) => all.some((other) => other.name === name))
  const target = all.find(({ name }) => name === file)
  if (!target) return []
  return documentable(target, all, new Set(seen)).filter(({ name }) => names === null || names.includes(name))
}

type NamedExport = Extract<Node, { type: 'ExportNamedDeclaration' }>

function namesOf(statement: NamedExport): string[] {
  return statement.specifiers.filter((one) => isValue(statement, one)).map(({ local }) => nameOf(local))
}

function isValue(statement: NamedExport, specifier: NamedExport['specifiers'][number]): boolean {
  return statement.exportKind !== 'type' && specifier.exportKind !== 'type'
}

function nameOf(node: { name: string } | { value: string }): string {
  return 'name' in node ? node.name : node.value
}

function isFunction({ type }: Node): boolean {
  return /^(ArrowFunction|Function|Class)(Expression|Declaration)$/.test(type)
}

/** A JSDoc comment that says something, with nothing but other comments and decorators between it and the export. */
function hasDocComment({ comments, text }: Source, statement: Node): boolean {
  const start = firstPosition(statement)
  let below = start
  for (const comment of comments.filter(({ end }) => end <= start).reverse()) {
    if (text.slice(comment.end, below).trim() !== '') return false
    if (comment.type === 'Block' && comment.value.startsWith('*')) return /[\p{L}\p{N}]/u.test(comment.value)
    below = comment.start
  }
  return false
}

/** Decorators may stand before `export`. */
function firstPosition(statement: Node): number {
  const declaration = 'declaration' in statement ? statement.declaration : statement
  const decorators = declaration && typeof declaration === 'object' && 'decorators' in declaration
    ? (declaration.decorators as Node[] | undefined) ?? []
    : []
  return Math.min(statement.start, ...decorators.map(({ start }) => start))
}
