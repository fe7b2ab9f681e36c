// Draws each <canvas data-chart="…"> with Chart.js, in the colours of the page; again when the
// page turns dark or light.
"use strict";
(() => {
  const drawn = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const dataset = (series) => ({
    label: series.label,
    data: series.data,
    backgroundColor: colour(`--mm-chart-${series.tone}`),
    borderRadius: 3,
    maxBarThickness: 26,
  });

  const axis = (unit) => ({
    beginAtZero: true,
    grid: { color: colour("--mm-line") },
    border: { display: false },
    ticks: {
      color: colour("--mm-faint"),
      precision: 0,
      callback(value) {
        const shown = this.getLabelForValue ? this.getLabelForValue(value) : value;
        return unit ? `${shown} ${unit}` : shown;
      },
    },
  });

  const draw = (canvas) => {
    const chart = JSON.parse(canvas.dataset.chart);
    const [figures, names] = chart.sideways ? ["x", "y"] : ["y", "x"];
    drawn.get(canvas)?.destroy();
    drawn.set(
      canvas,
      new Chart(canvas, {
        type: "bar",
        data: { labels: chart.labels, datasets: chart.series.map(dataset) },
        options: {
          indexAxis: names,
          maintainAspectRatio: false,
          animation: false,
          interaction: { mode: "index", axis: names, intersect: false },
          plugins: {
            legend: {
              display: chart.series.length > 1,
              align: "end",
              labels: { color: colour("--mm-strong"), boxWidth: 12, boxHeight: 12 },
            },
          },
          scales: {
            [figures]: axis(chart.unit),
            [names]: {
              grid: { display: false },
              border: { color: colour("--mm-line") },
              ticks: { color: colour("--mm-faint"), maxRotation: 0, autoSkipPadding: 12 },
            },
          },
        },
      }),
    );
  };

  const all = () => document.querySelectorAll("canvas[data-chart]").forEach(draw);
  all();
  new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["class"] });
})();
