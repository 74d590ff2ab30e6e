// One process's part in a training by several. SPDX-License-Identifier: Apache-2.0

/// Training by several processes that each see a part of every batch and average their gradients.
///
/// Batches, random draws and weights are those of a training by one process: every process draws for
/// the whole batch and takes its part, so losses that are means over the batch have the gradients of
/// one process, to rounding.
public final class DataParallel: Sendable {
    public let group: any ProcessGroup
    /// Set to ask that all processes stop after the same step.
    public let wish: Cancellation
    /// Set in all processes after the same step, once one of them wished it.
    public let agreed: Cancellation

    /// - Parameter wish: set by whoever wants this process to stop.
    public init(
        _ group: any ProcessGroup = SingleProcess(), wish: Cancellation = Cancellation()
    ) {
        self.group = group
        self.wish = wish
        agreed = group.rank.size == 1 ? wish : Cancellation()
    }

    /// A training by this process alone.
    public static var single: DataParallel { DataParallel() }

    public var rank: ProcessRank { group.rank }
    /// Whether there are no other processes.
    public var isAlone: Bool { rank.size == 1 }

    // MARK: Gradients

    /// What the processes tell each other with the gradients of a step.
    public struct Agreement {
        fileprivate var numbers: Tensor
    }

    /// The gradients' means over all processes, as parts of a few flat buffers.
    ///
    /// - Parameters:
    ///   - parameters: in the same order in every process.
    ///   - seconds: of training so far, as this process counts them.
    /// - Returns: also what to ``conclude(_:)`` once the device has been waited for; nil when alone.
    public func averaged(
        _ gradients: Gradients, of parameters: [Parameter], seconds: Double
    ) -> (gradients: Gradients, agreement: Agreement?) {
        guard !isAlone else { return (gradients, nil) }
        let found = parameters.compactMap { parameter in
            gradients[parameter].map { (parameter, $0) }
        }
        let device = found.first?.1.device ?? currentDevice
        let numbers = Tensor(
            [Float(seconds), wish.isCancelled ? 1 : 0], shape: [2], device: device)
        let layout = GradientBuckets(counts: found.map(\.1.count))
        let buckets = layout.sizes.map { Tensor.empty([$0], device: device) }
        let parts = zip(found, layout.places).map { entry, place in
            buckets[place.bucket]
                .narrowed(axis: 0, start: place.start, length: entry.1.count)
                .reshaped(entry.1.shape)
        }
        device.copies(zip(found, parts).map { ($0.1, $1) })
        group.average(buckets + [numbers])
        return (
            gradients.replacing(zip(found, parts).map { ($0.0, $1) }), Agreement(numbers: numbers)
        )
    }

    /// Reads what was agreed on.
    ///
    /// - Returns: the mean of the processes' seconds; nil when alone.
    public func conclude(_ agreement: Agreement?) -> Double? {
        guard let numbers = agreement?.numbers.floats() else { return nil }
        if numbers[1] > 0 { agreed.cancel() }
        return Double(numbers[0])
    }

    // MARK: Figures

    /// The means of figures over all processes.
    public func averaged(_ metrics: [TrainingMetric]) -> [TrainingMetric] {
        guard !isAlone, !metrics.isEmpty else { return metrics }
        let values = Tensor(metrics.map { Float($0.value) }, shape: [metrics.count])
        group.average([values])
        return zip(metrics, values.floats()).map { TrainingMetric($0.name, Double($1)) }
    }
}
