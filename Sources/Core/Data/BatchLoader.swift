// Prepares batches on other threads before they are asked for.
// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation

/// Batches of changed pictures, made ahead of the steps that use them.
///
/// What a step sees depends on its number alone, never on timing: the same seed gives the same
/// batches with any number of threads and after any resumption. Used by one thread.
public final class BatchLoader {
    private let dataset: any Dataset
    private let augmentation: PictureAugmentation
    private let seed: UInt64
    private let ahead: Int
    private let rank: ProcessRank
    private let indices: (Int) -> [Int]
    private var pending: [Int: Preparation] = [:]
    private let queue = DispatchQueue(
        label: "batches", qos: .userInitiated, attributes: .concurrent)

    /// - Parameters:
    ///   - seed: of the augmentation.
    ///   - ahead: steps prepared in advance, each by a thread of its own; 0 = none.
    ///   - rank: whose share of every batch is loaded; draws are made for the whole batch.
    ///   - indices: which entries a step sees; called on the caller's thread.
    public init(
        _ dataset: any Dataset, augmentation: PictureAugmentation = .none, seed: UInt64 = 0,
        ahead: Int = 4, rank: ProcessRank = ProcessRank(), indices: @escaping (_ step: Int) -> [Int]
    ) {
        precondition(ahead >= 0, "\(ahead) batches ahead")
        self.dataset = dataset
        self.augmentation = augmentation
        self.seed = seed
        self.ahead = ahead
        self.rank = rank
        self.indices = indices
    }

    /// The batch of a step on the current device.
    ///
    /// - Throws: errors of the pictures; ``DatasetError/sizeMismatch(name:index:expected:found:)``.
    public func batch(step: Int) throws -> DatasetBatch {
        pending = pending.filter { $0.key >= step && $0.key <= step + ahead }
        for next in step...(step + ahead) where pending[next] == nil {
            pending[next] = prepare(next)
        }
        guard let ready = pending.removeValue(forKey: step) else {
            preconditionFailure("batch \(step) was not prepared")
        }
        return try ready.wait().batch()
    }

    private func prepare(_ step: Int) -> Preparation {
        let preparation = Preparation()
        let (chosen, dataset, augmentation) = (indices(step), dataset, augmentation)
        let part = rank.share(of: chosen.count)
        let generator = RandomGenerator(seed: seed, stream: 0x6175_676D).split(UInt64(step))
        queue.async {
            preparation.fulfil(
                Result { try HostBatch(dataset, chosen, part, augmentation, generator) })
        }
        return preparation
    }
}

extension Dataset {
    /// Some entries, each changed by a draw of its own, as tensors.
    ///
    /// - Throws: errors of the pictures; ``DatasetError/sizeMismatch(name:index:expected:found:)``.
    public func batch(
        _ indices: [Int], augmentation: PictureAugmentation, generator: RandomGenerator
    ) throws -> DatasetBatch {
        try HostBatch(self, indices, indices.indices, augmentation, generator).batch()
    }
}

/// A batch in host memory; tensors are made by the thread that trains.
struct HostBatch: Sendable {
    let indices: [Int]
    let labels: [Int32]
    let values: [Float]
    let size: (width: Int, height: Int)

    /// - Parameters:
    ///   - all: the whole batch; every entry takes its draw from the generator.
    ///   - part: the places of those that are loaded.
    init(
        _ dataset: any Dataset, _ all: [Int], _ part: Range<Int>,
        _ augmentation: PictureAugmentation, _ generator: RandomGenerator
    ) throws {
        precondition(!part.isEmpty, "an empty batch of \(dataset.name)")
        let indices = Array(all[part])
        let first = try dataset.image(at: indices[0])
        let (width, height) = (first.width, first.height)
        let length = 3 * width * height
        var generator = generator
        var values = [Float](repeating: 0, count: length * indices.count)
        let draws = all.map {
            augmentation.draw(label: dataset.label(at: $0), generator: &generator)
        }
        for (place, index) in indices.enumerated() {
            let image = place == 0 ? first : try dataset.image(at: index)
            guard image.width == width, image.height == height else {
                throw DatasetError.sizeMismatch(
                    name: dataset.name, index: index, expected: "\(width)×\(height)",
                    found: "\(image.width)×\(image.height)")
            }
            let draw = draws[part.lowerBound + place]
            values.withUnsafeMutableBufferPointer {
                augmentation.write(
                    image, draw,
                    to: UnsafeMutableBufferPointer(
                        rebasing: $0[(place * length)..<((place + 1) * length)]))
            }
        }
        self.indices = indices
        self.values = values
        labels = indices.map { Int32(dataset.label(at: $0)) }
        size = (width, height)
    }

    func batch() -> DatasetBatch {
        DatasetBatch(
            images: Tensor(values, shape: [indices.count, 3, size.height, size.width]),
            labels: Tensor(int32: labels, shape: [indices.count]), indices: indices)
    }
}

/// One batch on its way.
private final class Preparation: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var result: Result<HostBatch, any Error>?

    func fulfil(_ result: Result<HostBatch, any Error>) {
        self.result = result
        done.signal()
    }

    /// Called once.
    func wait() throws -> HostBatch {
        done.wait()
        guard let result else { preconditionFailure("a batch was announced and not made") }
        return try result.get()
    }
}
