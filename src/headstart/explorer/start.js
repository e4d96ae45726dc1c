// Fill the page.

const counts = facts.shots.map(String);
const some = counts.length > 1 ? `${counts.slice(0, -1).join(", ")} or ${counts.at(-1)}` : counts[0];
document.getElementById("summary").textContent =
  `${plural(facts.targets.length, "target class")} learnt from ${some} images each, by a network that knows ` +
  `${plural(facts.sources.length, "source class")}. ${plural(facts.initialisations.length, "way")} to start, ` +
  `${plural(facts.seeds, "seed")}.`;
drawScores(document.getElementById("scores-panels"));
learningCurves(document.getElementById("learning-panels"), "macro", () => facts.macro);
drawNeighbours(document.getElementById("neighbours-panels"));
startExplorer();
startListing();
startHeatmap();
document.documentElement.dataset.ready = "true";
