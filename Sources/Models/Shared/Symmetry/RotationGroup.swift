// What the symmetry engine asks of a group of rotations.
// SPDX-License-Identifier: Apache-2.0

/// An element of a compact rotation group with its bi-invariant metric: SO(2) or SO(3).
///
/// Composition acts from the left: `(g·h)(x) = g(h(x))`. Angles are in degrees.
public protocol RotationGroup: Sendable, Equatable {
    static var identity: Self { get }
    /// Dimension of the group: 1 or 3.
    static var dimension: Int { get }
    /// g·h.
    static func * (g: Self, h: Self) -> Self
    var inverse: Self { get }
    /// The geodesic distance from the identity, 0…180°.
    var angle: Double { get }
    /// The coordinate that one-dimensional laws are fitted to: the signed angle on the circle, the
    /// rotation angle in space; degrees.
    var coordinate: Double { get }
    /// The Fréchet mean, argmin over y of Σ d(y, p)².
    ///
    /// - Precondition: at least one element.
    static func frechetMean(of poses: [Self]) -> Self
    /// y ← y·exp(Σ w·log(y⁻¹p) / Σ w) and the length of that step in degrees.
    func step(towards poses: [Self], weights: [Double]) -> (mean: Self, length: Double)
    /// Concentration of the poses about a centre, 1 for one point and about 0 for the uniform law.
    static func resultantLength(of poses: [Self]) -> Double
}

extension RotationGroup {
    /// The geodesic distance between two elements, 0…180°; the same after any translation.
    public func distance(to other: Self) -> Double { (inverse * other).angle }

    /// The element of a set with the least total loss to all others.
    static func medoid(of poses: [Self], loss: (Double) -> Double) -> Self {
        var best = (index: 0, cost: Double.infinity)
        for (index, candidate) in poses.enumerated() {
            var cost = 0.0
            for pose in poses {
                cost += loss(candidate.distance(to: pose))
                if cost >= best.cost { break }
            }
            if cost < best.cost { best = (index, cost) }
        }
        return poses[best.index]
    }

    /// The Tukey–Fréchet mean: argmin over y of Σ m(d(y, p); c) with the biweight loss
    ///
    ///     m(d; c) = c²/6 · (1 − (1 − (d/c)²)³) for d < c, c²/6 otherwise.
    ///
    /// It settles on one mode of a multimodal set and is not moved by what lies beyond c. Found by
    /// iteratively reweighted means from the element with the least total loss.
    /// - Parameter scale: c in degrees; ``adaptiveScale(of:)`` when nil.
    /// - Precondition: at least one element.
    ///
    /// Source: Beaton, Tukey, Technometrics 16, 1974, for the loss.
    public static func tukeyMean(of poses: [Self], scale: Double? = nil) -> Self {
        let c = scale ?? adaptiveScale(of: poses)
        var mean = medoid(of: poses) { d in
            let rest = 1 - (d / c) * (d / c)
            return d < c ? 1 - rest * rest * rest : 1
        }
        for _ in 0..<100 {
            let weights = poses.map { pose -> Double in
                let d = mean.distance(to: pose)
                let rest = 1 - (d / c) * (d / c)
                return d < c ? rest * rest : 0
            }
            guard weights.contains(where: { $0 > 0 }) else { break }
            let next = mean.step(towards: poses, weights: weights)
            mean = next.mean
            if next.length < 1e-13 { break }
        }
        return mean
    }

    /// c = 4.685 · 1.4826 · (median distance from the set's medoid), held within 30° and 180°.
    ///
    /// 4.685 gives 95 % efficiency for normal errors; 1.4826 turns a median into a deviation.
    public static func adaptiveScale(of poses: [Self]) -> Double {
        let centre = medoid(of: poses) { $0 }
        let distances = poses.map { centre.distance(to: $0) }.sorted()
        let middle = distances.count / 2
        let median =
            distances.count % 2 == 1
            ? distances[middle] : (distances[middle - 1] + distances[middle]) / 2
        return min(180, max(30, 4.685 * 1.4826 * median))
    }
}
