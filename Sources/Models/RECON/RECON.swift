// RECON: symmetry distributions from any frozen class-pose network.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Normalises the poses of a frozen class-pose decomposition by a right translation.
///
/// The class of an input are the training inputs nearest to it in the invariant space; no label is
/// ever read. The mean of their poses, Γ̂, is the pose of the class's natural reference: ψ·Γ̂⁻¹ is
/// how far an input is turned from it, and the law of these is the input's symmetry distribution.
///
/// With no centring this is ssl-sym's pseudo-label step.
///
/// Source: the published description of RECON ("robust symmetry discovery via explicit canonical
/// orientation normalization"); ssl-sym's published code for the neighbours and the estimators.
public struct RECON<Pose: RotationGroup>: Sendable {
    public let configuration: RECONConfiguration
    /// ψ of the training inputs.
    public let poses: [Pose]
    private let bank: NeighbourBank
    private let members: [[Int32]]?
    private let componentOf: [Int32]?

    /// Takes the embeddings and poses of the training inputs.
    ///
    /// - Throws: ``ConfigurationError``.
    public init(
        training: ClassPoses<Pose>, configuration: RECONConfiguration = RECONConfiguration()
    ) throws(ConfigurationError) {
        try configuration.validate()
        try ConfigurationError.require(
            training.count > configuration.neighbours, "k", "\(configuration.neighbours)",
            "below the number of training inputs, \(training.count)")
        self.init(
            bank: NeighbourBank(
                training.embeddings, metric: configuration.metric,
                subtractsMean: configuration.subtractsMean),
            poses: training.poses, configuration: configuration)
    }

    private init(bank: NeighbourBank, poses: [Pose], configuration: RECONConfiguration) {
        self.configuration = configuration
        self.poses = poses
        self.bank = bank
        if case .component(let step) = configuration.neighbourhood {
            let table = bank.nearestOthers(k: configuration.neighbours)
            let components = Components(table, step: Float(step))
            members = components.members
            componentOf = components.componentOf
        } else {
            members = nil
            componentOf = nil
        }
    }

    /// The same bank under other settings; searches anew only where it must.
    ///
    /// - Throws: ``ConfigurationError``; also when metric or mean subtraction differ, which need a
    ///   new bank.
    public func with(
        _ configuration: RECONConfiguration
    ) throws(ConfigurationError) -> RECON {
        try configuration.validate()
        try ConfigurationError.require(
            configuration.metric == self.configuration.metric
                && configuration.subtractsMean == self.configuration.subtractsMean,
            "the metric", "another", "that of the bank; build it anew")
        try ConfigurationError.require(
            configuration.neighbours < poses.count, "k", "\(configuration.neighbours)",
            "below the number of training inputs, \(poses.count)")
        if configuration.neighbourhood == self.configuration.neighbourhood {
            return RECON(
                bank: bank, poses: poses, configuration: configuration, members: members,
                componentOf: componentOf)
        }
        return RECON(bank: bank, poses: poses, configuration: configuration)
    }

    private init(
        bank: NeighbourBank, poses: [Pose], configuration: RECONConfiguration,
        members: [[Int32]]?, componentOf: [Int32]?
    ) {
        self.bank = bank
        self.poses = poses
        self.configuration = configuration
        self.members = members
        self.componentOf = componentOf
    }

    // MARK: Distributions

    /// The neighbours of every training input among the others; k of them unless another count is
    /// given.
    public func neighboursOfTraining(count: Int? = nil) -> NeighbourTable {
        bank.nearestOthers(k: min(poses.count - 1, count ?? configuration.neighbours))
    }

    /// The neighbours of some inputs among the training inputs; k of them unless another count is
    /// given.
    public func neighbours(of embeddings: FeatureMatrix, count: Int? = nil) -> NeighbourTable {
        bank.nearest(to: embeddings, k: min(poses.count, count ?? configuration.neighbours))
    }

    /// The distributions of the training inputs, in their order.
    ///
    /// - Throws: `CancellationError`.
    public func distributionsOfTraining(
        cancellation: Cancellation = Cancellation()
    ) throws -> [PoseDistribution<Pose>] {
        let table = neighboursOfTraining()
        return try poses.indices.map { i in
            if i % 256 == 0 { try cancellation.check() }
            return distribution(pose: poses[i], neighbours: table[i], ownIndex: i)
        }
    }

    /// The distributions of new inputs.
    ///
    /// - Throws: `CancellationError`.
    public func distributions(
        of inputs: ClassPoses<Pose>, cancellation: Cancellation = Cancellation()
    ) throws -> [PoseDistribution<Pose>] {
        let table = neighbours(of: inputs.embeddings)
        return try inputs.poses.indices.map { i in
            if i % 256 == 0 { try cancellation.check() }
            return distribution(pose: inputs.poses[i], neighbours: table[i])
        }
    }

    /// The distribution of one input whose neighbours are known.
    ///
    /// - Parameter ownIndex: its number, when it is a training input.
    public func distribution(
        pose: Pose, neighbours: ArraySlice<Int32>, ownIndex: Int? = nil
    ) -> PoseDistribution<Pose> {
        distribution(pose: pose, members: classMembers(neighbours, ownIndex: ownIndex))
    }

    /// The distribution of one input whose class is known.
    func distribution(pose: Pose, members: ArraySlice<Int32>) -> PoseDistribution<Pose> {
        PoseDistribution(
            pose: pose, neighbours: members.map { poses[Int($0)] }, configuration: configuration)
    }

    /// The training inputs that make up the class of an input with given neighbours.
    func classMembers(
        _ neighbours: ArraySlice<Int32>, ownIndex: Int?
    ) -> ArraySlice<Int32> {
        guard let members, let componentOf, let nearest = neighbours.first else {
            return neighbours
        }
        let component = Int(componentOf[ownIndex ?? Int(nearest)])
        let others = members[component].filter { $0 != ownIndex.map(Int32.init) }
        // A lone input has no class but its neighbours.
        return others.count < 2 ? neighbours : others[...]
    }
}

/// Connected components of the graph of steps shorter than ε.
struct Components {
    let componentOf: [Int32]
    let members: [[Int32]]

    init(_ table: NeighbourTable, step: Float) {
        var parent = (0..<table.count).map { $0 }
        func root(_ start: Int) -> Int {
            var i = start
            while parent[i] != i {
                parent[i] = parent[parent[i]]
                i = parent[i]
            }
            return i
        }
        for i in 0..<table.count {
            for (place, j) in table[i].enumerated() {
                guard table.distances[i * table.k + place] < step else { break }
                let (a, b) = (root(i), root(Int(j)))
                if a != b { parent[max(a, b)] = min(a, b) }
            }
        }
        var numbers: [Int: Int] = [:]
        var members: [[Int32]] = []
        var componentOf: [Int32] = []
        for i in 0..<table.count {
            let top = root(i)
            let number = numbers[top] ?? members.count
            if numbers[top] == nil {
                numbers[top] = number
                members.append([])
            }
            members[number].append(Int32(i))
            componentOf.append(Int32(number))
        }
        self.members = members
        self.componentOf = componentOf
    }
}
