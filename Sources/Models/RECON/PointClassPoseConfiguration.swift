// Sizes of the class-pose network for points in space.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Sizes of a ``PointClassPoseNetwork``.
public struct PointClassPoseConfiguration: Sendable, Equatable, Codable {
    /// How the pose is read off an input.
    public enum Frame: String, Sendable, Codable, CaseIterable {
        /// The polar factor of Σ x_i c_iᵀ: the rotation that lays the canonical points best over
        /// the input's.
        case polar
        /// Gram–Schmidt of two pooled vectors.
        case vectors
    }

    /// What the decoder knows of a point beside the code of the whole.
    public enum PointCode: String, Sendable, Codable, CaseIterable {
        /// Its place in the list: for inputs whose points are numbered alike.
        case slot
        /// Its own invariant features: for points in any order.
        case node
    }

    public var graph: EquivariantGraphConfiguration
    /// Kinds of points (atom types; slots of tetris).
    public var kinds: Int
    /// The most points an input has; fixes the slots.
    public var points: Int
    /// Length E of the invariant code.
    public var code: Int
    /// Width of the decoder.
    public var hidden: Int
    public var frame: Frame
    public var pointCode: PointCode
    /// What a point of every kind counts for, in centroids, frames and the loss; all alike when nil.
    /// With atomic masses the polar frame is Eckart's.
    public var weights: [Float]?
    /// Standard deviation of the noise on the code while training, with the code scaled to a root
    /// mean square of 1; no noise and a free scale when nil.
    ///
    /// The frame is read off without the noise. A canonical form that turns as the code changes a
    /// little then costs reconstruction, which it does not otherwise: the polar frame would undo it.
    public var codeNoise: Float?
    /// Weight of the kinds of points in the loss, beside their positions: the cross-entropy of the
    /// kind (or absence) that the decoder expects in every slot. For slot codes; nil for positions
    /// alone. It keeps inputs apart that have other points in much the same places.
    public var kindWeight: Float?

    public init(
        graph: EquivariantGraphConfiguration = EquivariantGraphConfiguration(), kinds: Int,
        points: Int, code: Int = 16, hidden: Int = 128, frame: Frame = .polar,
        pointCode: PointCode = .slot, weights: [Float]? = nil, codeNoise: Float? = nil,
        kindWeight: Float? = nil
    ) {
        self.graph = graph
        self.kinds = kinds
        self.points = points
        self.code = code
        self.hidden = hidden
        self.frame = frame
        self.pointCode = pointCode
        self.weights = weights
        self.codeNoise = codeNoise
        self.kindWeight = kindWeight
    }

    /// - Throws: ``ConfigurationError``.
    public func validate() throws(ConfigurationError) {
        try graph.validate()
        try ConfigurationError.require((1...256).contains(kinds), "kinds", "\(kinds)", "1 to 256")
        try ConfigurationError.require(
            (2...4096).contains(points), "points", "\(points)", "2 to 4096")
        try ConfigurationError.require((1...4096).contains(code), "code", "\(code)", "1 to 4096")
        try ConfigurationError.require(
            (1...4096).contains(hidden), "hidden", "\(hidden)", "1 to 4096")
        if let weights {
            try ConfigurationError.require(
                weights.count == kinds && weights.allSatisfy { $0 > 0 && $0.isFinite },
                "weights", "\(weights)", "a positive number for each of \(kinds) kinds")
        }
        try ConfigurationError.require(
            codeNoise.map { (0...10).contains($0) } ?? true, "code_noise", "\(codeNoise ?? 0)",
            "0 to 10")
        try ConfigurationError.require(
            kindWeight.map { $0 >= 0 && pointCode == .slot } ?? true, "kind_weight",
            "\(kindWeight ?? 0) with point_code \"\(pointCode.rawValue)\"",
            "0 or more, with point_code \"slot\"")
    }
}
