// Tells people who do not see the page what happened on it.

let last = "";

export function say(text) {
  const place = document.getElementById("said");
  // The same text again is read out only if it differs.
  last = text === last ? `${text}\u00a0` : text;
  place.textContent = last;
}
