// The address to show is the one this page came from.
const here = location.href.replace(/[?#].*$/, "").replace(/\/docs\/?$/, "");
for (const place of document.querySelectorAll("[data-here]")) place.textContent = here;

const status = document.querySelector("[role=status]");

async function copy(button) {
  const code = button.closest("figure").querySelector("code");
  let done = "Copied";
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    done = "Selected";
  }
  button.textContent = status.textContent = done;
  setTimeout(() => {
    button.textContent = "Copy";
    status.textContent = "";
  }, 2000);
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
