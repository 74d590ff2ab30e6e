// A slow copy of the weights. SPDX-License-Identifier: Apache-2.0

/// Keeps `average ← decay · average + (1 − decay) · value` for a set of parameters.
///
/// The decay is held at (1 + t)/(10 + t) while that is smaller, so that early weights are forgotten.
public struct ExponentialMovingAverage: Sendable {
    /// The decay reached in the long run.
    public let decay: Float
    /// Updates made.
    public private(set) var updateCount = 0
    private var averages: [(parameter: Parameter, average: Tensor)]

    public init(_ parameters: [Parameter], decay: Float = 0.999) {
        self.decay = decay
        averages = parameters.map { ($0, $0.value.copied()) }
    }

    /// Moves the averages towards the present values.
    public mutating func update() {
        updateCount += 1
        let early = Float(1 + updateCount) / Float(10 + updateCount)
        averages.first?.average.device.movingAverages(
            averages.map { ($0.average, $0.parameter.value.contiguous()) },
            decay: min(decay, early))
    }

    /// Begins the averages of some parameters anew at their present values.
    public mutating func restart(of isChosen: (Parameter) -> Bool) {
        for i in averages.indices where isChosen(averages[i].parameter) {
            averages[i].average = averages[i].parameter.value.copied()
        }
    }

    /// The averages by parameter name.
    public var values: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: averages.map { ($0.parameter.name, $0.average) })
    }

    /// Takes back what ``values`` gave.
    public mutating func restore(_ values: [String: Tensor], updateCount: Int) {
        self.updateCount = updateCount
        for i in averages.indices {
            if let value = values[averages[i].parameter.name] {
                averages[i].average = value.copied()
            }
        }
    }

    /// Runs `body` with the averages in place of the parameters' values.
    public func withAverages<R>(_ body: () throws -> R) rethrows -> R {
        let kept = averages.map(\.parameter.value)
        for (parameter, average) in averages { parameter.value = average }
        defer { for (entry, value) in zip(averages, kept) { entry.parameter.value = value } }
        return try body()
    }
}
