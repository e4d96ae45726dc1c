// Fill the page.

document.getElementById("summary").textContent =
  `${plural(facts.targets.length, "target class")} learnt from ${plural(facts.sources.length, "source class")}, ` +
  `${plural(facts.initialisations.length, "start")}, ${facts.shots.join(", ")} training images per class, ${plural(facts.seeds, "seed")}.`;
drawScores(document.getElementById("scores-panels"));
learningCurves(document.getElementById("learning-panels"), "macro", () => facts.macro);
drawNeighbours(document.getElementById("neighbours-panels"));
startExplorer();
startListing();
startHeatmap();
document.documentElement.dataset.ready = "true";
