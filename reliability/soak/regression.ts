export interface Point {
  readonly x: number
  readonly y: number
}

export interface Line {
  /** How much y grows when x grows by one. */
  readonly slope: number
  /** How much of what y varies the line explains, from 0 to 1. */
  readonly fit: number
}

/** The straight line that is nearest to the points, by least squares. Flat when there are less than two. */
export const lineThrough = (points: readonly Point[]): Line => {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)]
  let [xx, xy, yy] = [0, 0, 0]
  for (const point of points) {
    xx += (point.x - x) ** 2
    xy += (point.x - x) * (point.y - y)
    yy += (point.y - y) ** 2
  }
  return xx === 0 || yy === 0 ? { slope: 0, fit: 0 } : { slope: xy / xx, fit: xy ** 2 / (xx * yy) }
}
