// Tells Emscripten's linker that the host provides this function of WASI, which it does not know of. Linking needs the
// name only: src/core/wasm-module.ts has what runs.
mergeInto(LibraryManager.library, { random_get: () => 0 });
