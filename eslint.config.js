import { builtinModules } from 'node:module';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Formatting belongs to prettier; layers and sizes to test/architecture. Here is what needs types or syntax.
const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export by name: one name per thing, everywhere.',
};

export default defineConfig(
  globalIgnores(['build/', 'dist/', 'prebuilds/', 'coverage/', 'data/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': ['error', noDefaultExport],
      // `fs` and `node:fs` are one module; the second form cannot be taken by a package.
      'no-restricted-imports': ['error', ...builtinModules.filter((name) => !/^_|:/.test(name))],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // A `default` that is there for safety must not hide a case that was forgotten.
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',

      // Deviations from strictTypeChecked, each with its reason.
      // Numbers in texts are wanted (sizes, limits); objects and null still are errors.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `while (true)` says "until return"; nothing is gained by hiding it.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // `() => void work()` and `(item) => sink.push(item)` read well as callbacks.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `async` without `await` has a meaning: what is thrown inside becomes a rejection.
      '@typescript-eslint/require-await': 'off',
      // A name with an underscore is there to be skipped: a parameter that a port fixes, a member that is left out.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // Commands talk to people.
    files: ['src/cli/**', 'bench/**', 'examples/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      // `expect(spy.method)` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      // A test states what it knows about its own fixture.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    // Tools ask for a default export in their configuration.
    files: ['*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
