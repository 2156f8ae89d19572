// The language stands in the first two letters of the hash: #en, #en-4.
(function () {
  "use strict";
  var page = document.documentElement;
  function choose() {
    var said = location.hash.slice(1, 3);
    var language = said === "en" || said === "zh" ? said : page.dataset.lang || "zh";
    page.dataset.lang = language;
    page.lang = language === "en" ? "en" : "zh-TW";
  }
  choose();
  addEventListener("hashchange", choose);
})();
