import type { Class, Expression, Function as FunctionNode, Program, Statement, Node } from 'oxc-parser'

/**
 * Whether the file is still the stub: everything it exports consists of nothing
 * but `throw new Error('TODO …')`. Comments and constructors do not count.
 */
export function isUntouched({ body }: Program): boolean {
  const bodies = body.flatMap(exportedBodies)
  return bodies.length > 0 && bodies.every(isTodo)
}

type Body = readonly Statement[] | null

function exportedBodies(statement: Statement): Body[] {
  if (statement.type === 'ExportDefaultDeclaration') return bodiesOf(statement.declaration)
  if (statement.type !== 'ExportNamedDeclaration' || !statement.declaration) return []
  const { declaration } = statement
  if (declaration.type !== 'VariableDeclaration') return bodiesOf(declaration)
  return declaration.declarations.flatMap(({ init }) => (init ? bodiesOf(init) : []))
}

function bodiesOf(node: Node): Body[] {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return [bodyOf(node)]
    case 'ArrowFunctionExpression':
      return [node.body.type === 'BlockStatement' ? node.body.body : null]
    case 'ClassDeclaration':
    case 'ClassExpression':
      return methodBodies(node)
    default:
      return []
  }
}

function methodBodies({ body }: Class): Body[] {
  return body.body.flatMap((member) => {
    if (member.type === 'MethodDefinition') return member.kind === 'constructor' ? [] : [bodyOf(member.value)]
    return member.type === 'PropertyDefinition' && member.value ? bodiesOf(member.value) : []
  })
}

function bodyOf({ body }: FunctionNode): Body {
  return body?.body ?? null
}

function isTodo(body: Body): boolean {
  const [only, ...rest] = body ?? []
  if (only?.type !== 'ThrowStatement' || rest.length > 0 || only.argument.type !== 'NewExpression') return false
  const [message] = only.argument.arguments
  return message !== undefined && messageText(message as Expression).startsWith('TODO')
}

function messageText(node: Expression): string {
  if (node.type === 'TemplateLiteral') return node.quasis[0]?.value.raw ?? ''
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : ''
}
