// The API key: kept in this tab alone, and gone with it. No cookie, and nothing that other tabs can read.

const NAME = "docrefinery.key";
let inMemory = "";

export function key() {
  return inMemory || stored((storage) => storage.getItem(NAME)) || "";
}

export function keep(value) {
  inMemory = value;
  stored((storage) => storage.setItem(NAME, value));
}

export function forget() {
  inMemory = "";
  stored((storage) => storage.removeItem(NAME));
}

// A browser may refuse the storage; the key then lasts until the page is reloaded.
function stored(use) {
  try {
    return use(window.sessionStorage);
  } catch {
    return null;
  }
}
