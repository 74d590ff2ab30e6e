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

    public init(
        graph: EquivariantGraphConfiguration = EquivariantGraphConfiguration(), kinds: Int,
        points: Int, code: Int = 16, hidden: Int = 128, frame: Frame = .polar,
        pointCode: PointCode = .slot
    ) {
        self.graph = graph
        self.kinds = kinds
        self.points = points
        self.code = code
        self.hidden = hidden
        self.frame = frame
        self.pointCode = pointCode
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
    }
}
