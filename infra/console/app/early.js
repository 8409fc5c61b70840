// Runs before the page is painted: the colours that somebody chose are there from the first moment.
(() => {
  try {
    const chosen = localStorage.getItem("levada.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {} // storage may be forbidden; the system's colours will do
})();
