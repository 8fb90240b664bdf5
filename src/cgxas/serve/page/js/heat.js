/** Curves side by side as a picture of colours, and the scales of its colours. */

// Viridis (Smith and van der Walt, CC0): even steps of lightness, for all eyes, on light and on dark.
const EVEN = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
// What is above and below zero, with zero the colour of the page.
const SIGNED = {
  light: ["#2166ac", "#67a9cf", "#f7f7f7", "#ef8a62", "#b2182b"],
  dark: ["#9ecbff", "#4a7fb5", "#232735", "#b8693b", "#ffbe86"],
};
const [SHADES, HEIGHT, WIDTH] = [256, 320, 900];
const NEARLY_ALL = 0.999;

/** The scale of values: of those that have a sign, or from zero up; rare ones beyond it are cut. */
export function scaleOf(values, isSigned, label, scheme) {
  const sizes = Float64Array.from(values.flat(), Math.abs).sort();
  const most = sizes[Math.floor(NEARLY_ALL * (sizes.length - 1))] || 1;
  return { stops: isSigned ? SIGNED[scheme] : EVEN, low: isSigned ? -most : 0, high: most, label };
}

const channels = (colour) => [1, 3, 5].map((n) => parseInt(colour.slice(n, n + 2), 16));

function shades(stops) {
  const ends = stops.map(channels);
  return Array.from({ length: SHADES }, (_, n) => {
    const at = (n / (SHADES - 1)) * (ends.length - 1);
    const low = Math.min(Math.floor(at), ends.length - 2);
    return ends[low].map((value, c) => Math.round(value + (at - low) * (ends[low + 1][c] - value)));
  });
}

/** Values of a curve at even steps from its first to its last energy. */
function evenly(energy, values, count) {
  let n = 0;
  return Float64Array.from({ length: count }, (_, k) => {
    const at = energy[0] + (k / (count - 1)) * (energy.at(-1) - energy[0]);
    while (n < energy.length - 2 && energy[n + 1] < at) n += 1;
    return values[n] + ((at - energy[n]) / (energy[n + 1] - energy[n])) * (values[n + 1] - values[n]);
  });
}

/** Paint curves as columns between their two sides, nothing between those; energies go upwards. */
export function paint(columns, sides, energy, { stops, low, high }) {
  const table = shades(stops);
  const [first, span] = [sides[0][0], sides.at(-1)[1] - sides[0][0]];
  const isEven = sides.every(([left], n) => Math.abs(left - first - (n * span) / columns.length) < 1e-6 * span);
  const width = isEven ? columns.length : Math.max(WIDTH, columns.length);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height: HEIGHT });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, HEIGHT);
  let [last, heights] = [-1, null];
  for (let x = 0, n = 0; x < width; x += 1) {
    const at = first + ((x + 0.5) / width) * span;
    while (n < columns.length - 1 && sides[n + 1][0] <= at) n += 1;
    if (at > sides[n][1]) continue;
    if (n !== last) [last, heights] = [n, evenly(energy, columns[n], HEIGHT)];
    heights.forEach((value, k) => {
      const shade = Math.round(((value - low) / (high - low)) * (SHADES - 1));
      const [red, green, blue] = table[Math.min(Math.max(shade, 0), SHADES - 1)];
      image.data.set([red, green, blue, 255], 4 * ((HEIGHT - 1 - k) * width + x));
    });
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL("image/png");
}
