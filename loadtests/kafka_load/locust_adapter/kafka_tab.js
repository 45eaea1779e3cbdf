// Puts the live view into Locust's page while its Kafka tab is selected: Locust's own tabs show nothing but tables.
"use strict";
(() => {
  const frame = document.createElement("iframe");
  frame.title = "Kafka";
  frame.style.cssText = "border: 0; width: 100%; display: none";

  function place() {
    const tabs = document.querySelector("[role=tablist]");
    if (!tabs) return;
    const container = tabs.closest(".MuiContainer-root");
    if (container && frame.parentElement !== container) container.append(frame);
    const selected = tabs.querySelector("[role=tab][aria-selected=true]");
    const shown = selected !== null && selected.textContent.trim() === "Kafka";
    if (shown && !frame.hasAttribute("src")) frame.src = "./kafka/";
    const display = shown ? "block" : "none";
    if (frame.style.display !== display) frame.style.display = display;
  }

  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected"] };
  new MutationObserver(place).observe(document.getElementById("root"), watched);
  place();
})();
