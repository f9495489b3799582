/** The linter's configuration, written beside the submission's folder. */
export const lintRules = {
  plugins: ['typescript'],
  categories: { correctness: 'off' },
  rules: {
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    // Arguments alone: `items.forEach(async …)` loses its promises, an async method where `void` is declared does not.
    'typescript/no-misused-promises': [
      'error',
      {
        checksVoidReturn: {
          arguments: true,
          attributes: false,
          inheritedMethods: false,
          properties: false,
          returns: false,
          variables: false,
        },
      },
    ],
  },
} as const
