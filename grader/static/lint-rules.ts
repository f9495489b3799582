/** The linter's configuration, written beside the submission's folder. */
export const lintRules = {
  plugins: ['typescript'],
  categories: { correctness: 'off' },
  rules: {
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': [
      'error',
      // What is taken off a list of promises was somebody's to wait for before: no call has made it.
      { allowForKnownSafeCalls: [{ from: 'lib', name: ['splice', 'shift', 'pop'] }] },
    ],
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
