// What the training loop asks of a system. SPDX-License-Identifier: Apache-2.0

/// A training in progress: it can take a step, save everything, and go on from what it saved.
///
/// Used by one thread. After ``restore(_:)`` of a state, further steps are bit for bit those that
/// the saved run would have made on the same device and thread count.
public protocol TrainingRun: AnyObject {
    /// For people: "HMAR next-scale tower".
    var title: String { get }
    /// Steps made.
    var step: Int { get }
    /// Steps that the recipe asks for, at most.
    var totalSteps: Int { get }
    /// Whether the run is over: all steps made, or the recipe's time used up.
    var isFinished: Bool { get }
    /// Whether several processes can share the work.
    var isDataParallel: Bool { get }
    /// Makes one step.
    ///
    /// - Returns: what is worth logging, "loss", "accuracy"…; every value finite. Nothing for steps
    ///   whose figures are not read back from the device.
    /// - Throws: ``TrainingError`` when the loss is not finite.
    func advance() throws -> [TrainingMetric]
    /// Figures on held-out data; called every `evaluateEvery` steps and at the end.
    func evaluate(cancellation: Cancellation) throws -> [TrainingMetric]
    /// Pictures that show what was learned so far; nil if the system has none to show. They change
    /// nothing of the run.
    func samplePictures(cancellation: Cancellation) throws -> TrainingPictures?
    /// Seconds that shall not count for the recipe's time limit: the training was held.
    func leaveOut(seconds: Double)
    /// Everything needed to go on.
    func state() throws -> TrainingState
    /// Goes on from a state.
    ///
    /// - Throws: ``TrainingError`` when the state belongs to another recipe.
    func restore(_ state: TrainingState) throws
    /// The weights to ship, by checkpoint name, with metadata for the file.
    func export() throws -> (tensors: [(name: String, tensor: Tensor)], metadata: [String: String])
}

extension TrainingRun {
    public var isFinished: Bool { step >= totalSteps }
    public var isDataParallel: Bool { false }
    public func samplePictures(cancellation: Cancellation) throws -> TrainingPictures? { nil }
    public func leaveOut(seconds: Double) {}
}

/// Sample pictures of one size, laid out row by row.
public struct TrainingPictures: Sendable, Equatable {
    /// What they are: "held-out pictures above, their reconstructions below".
    public var title: String
    public var images: [RGBImage]
    /// Pictures in a row.
    public var columns: Int

    public init(title: String, images: [RGBImage], columns: Int) {
        self.title = title
        self.images = images
        self.columns = columns
    }
}

/// One logged figure.
public struct TrainingMetric: Sendable, Equatable {
    public var name: String
    public var value: Double

    public init(_ name: String, _ value: Double) {
        self.name = name
        self.value = value
    }
}

/// Everything a training run needs to go on.
public struct TrainingState: Sendable {
    /// Weights, moments, averages: float32 tensors by name.
    public var tensors: [String: Tensor]
    /// Counters and generator positions, small and textual.
    public var values: [String: String]

    public init(tensors: [String: Tensor] = [:], values: [String: String] = [:]) {
        self.tensors = tensors
        self.values = values
    }

    /// What was stored under names with a prefix, under names without it.
    public func part(_ prefix: String) -> TrainingState {
        func inner<V>(_ all: [String: V]) -> [String: V] {
            var found: [String: V] = [:]
            for (name, value) in all where name.hasPrefix(prefix) {
                found[String(name.dropFirst(prefix.count))] = value
            }
            return found
        }
        return TrainingState(tensors: inner(tensors), values: inner(values))
    }

    /// A stored counter.
    ///
    /// - Throws: ``TrainingError`` when it is missing or no number.
    public func integer(_ key: String) throws -> Int {
        guard let text = values[key], let value = Int(text) else {
            throw TrainingError.incompleteState(missing: key)
        }
        return value
    }
}

/// What ends a training run early.
public enum TrainingError: Error, Equatable, Sendable {
    /// The loss became NaN or infinite; the last checkpoint is kept.
    case nonFiniteLoss(step: Int)
    /// A saved state lacks something this recipe needs.
    case incompleteState(missing: String)
    /// A saved state was made by another recipe.
    case otherRecipe(key: String, saved: String, wanted: String)
}

extension TrainingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .nonFiniteLoss(let step):
            return "The loss was not finite at step \(step); the checkpoint before it is kept. "
                + "Lower the learning rate and resume."
        case .incompleteState(let missing):
            return "The checkpoint lacks \(missing); it was saved by another version or cut short. "
                + "Start again without --resume."
        case .otherRecipe(let key, let saved, let wanted):
            return "The checkpoint was made with \(key) = \(saved), but the recipe says \(wanted); "
                + "use another output folder or start again without --resume."
        }
    }
}
