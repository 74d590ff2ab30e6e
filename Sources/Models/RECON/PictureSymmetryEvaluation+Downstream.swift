// What standardised pictures are good for.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension PictureSymmetryEvaluation {
    /// Every picture turned back by its corrected pose: the canonicalisation layer.
    ///
    /// - Parameter engine: gives ĝ of an input from its embedding, its pose and the bank alone.
    func standardized(
        _ images: GreyImages, _ distributions: [PoseDistribution<Rotation2>]
    ) -> GreyImages {
        images.rotated(by: distributions.map { Float(-$0.pose.degrees) })
    }

    func downstreamFigures() throws -> [ModelCard.Metric] {
        let engine = try engine(mean)
        let training = try engine.distributionsOfTraining(cancellation: cancellation)
        let found = try poses("test pictures", of: test.images)
        let tested = try engine.distributions(of: found, cancellation: cancellation)
        let standardTraining = standardized(bank.images, training)
        let standardTest = standardized(test.images, tested)
        let second = try refined(.frechet)
        let secondTest = standardized(
            test.images,
            try second.distributions(of: found, images: test.images, cancellation: cancellation))
        var metrics: [ModelCard.Metric] = []
        for clusters in [10, 64] {
            for (title, train, test) in [
                ("as they are", bank.images, test.images),
                ("standardised", standardTraining, standardTest),
                (
                    "standardised, second look",
                    standardized(bank.images, second.distributionsOfTraining), secondTest
                ),
            ] {
                try cancellation.check()
                progress("k-means, \(clusters) clusters, \(title)", 0, 1)
                // Small work that goes back and forth between rows and sums: the host's.
                let result = withDevice(CPUDevice.shared) {
                    Clustering(training: train, test: test, clusters: clusters, seed: seed)
                }
                metrics.append(
                    .init(
                        name: "k-means \(clusters), \(title)", value: 100 * result.accuracy,
                        unit: "%",
                        note: String(
                            format: "normalised mutual information %.3f",
                            result.mutualInformation)))
            }
        }
        // Natural poses with offsets are not upright: a classifier of upright pictures is of no use.
        guard law.offsets.allSatisfy({ $0 == 0 }) else { return metrics }
        return metrics + (try layerFigures(engine, second, standardTest, secondTest))
    }

    /// A frozen classifier of upright pictures (5 nearest training pictures by pixels), with and
    /// without the layer before it.
    private func layerFigures(
        _ engine: RECON<Rotation2>, _ second: RefinedRECON, _ standardTest: GreyImages,
        _ secondTest: GreyImages
    ) throws -> [ModelCard.Metric] {
        let upright = try uprightTraining()
        // Always the same, however large the bank is.
        let known = min(Self.standardBank, upright.count)
        let nearest = NeighbourBank(
            FeatureMatrix(width: 784, values: Array(upright.pixels.prefix(784 * known))),
            metric: .euclidean)
        func accuracy(_ name: String, _ images: GreyImages) throws -> [ModelCard.Metric] {
            try cancellation.check()
            progress("classifying", 0, 1)
            let table = nearest.nearest(
                to: FeatureMatrix(width: 784, values: images.pixels), k: 5)
            let right = (0..<images.count).count {
                Self.vote(table[$0].map { upright.labels[Int($0)] }) == images.labels[$0]
            }
            func share(_ right: Int) -> Double { 100 * Double(right) / Double(images.count) }
            var metrics: [ModelCard.Metric] = [
                .init(
                    name: "frozen classifier, \(name)", value: share(right), unit: "%",
                    note: "5-NN on pixels of \(known) upright training pictures")
            ]
            if let classifier {
                let answers = try Self.answers(classifier, images, cancellation)
                metrics.append(
                    .init(
                        name: "frozen network, \(name)",
                        value: share(zip(answers, images.labels).count { $0 == $1 }), unit: "%",
                        note: "a small convolutional network trained on upright pictures"))
            }
            return metrics
        }
        func three(_ name: String, _ images: GreyImages) throws -> [ModelCard.Metric] {
            let found = try poses("\(name) pictures", of: images)
            return try accuracy(name, images)
                + accuracy(
                    "\(name), layer",
                    standardized(
                        images, try engine.distributions(of: found, cancellation: cancellation)))
                + accuracy(
                    "\(name), layer, second look",
                    standardized(
                        images,
                        try second.distributions(
                            of: found, images: images, cancellation: cancellation)))
        }
        var generator = RandomGenerator(seed: seed, stream: 0x6675_6C6C)
        let full = self.upright.rotated(
            by: (0..<self.upright.count).map { _ in 360 * generator.nextFloat() - 180 })
        return try three("upright", self.upright) + accuracy("rotated", test.images)
            + accuracy("rotated, layer", standardTest)
            + accuracy("rotated, layer, second look", secondTest) + three("fully rotated", full)
    }

    /// The answers of a network that reads three channels in −1…1.
    private static func answers(
        _ classifier: ImageClassifier, _ images: GreyImages, _ cancellation: Cancellation
    ) throws -> [Int] {
        var answers: [Int] = []
        let plane = images.side * images.side
        for start in stride(from: 0, to: images.count, by: 256) {
            try cancellation.check()
            let range = start..<min(start + 256, images.count)
            var pixels: [Float] = []
            pixels.reserveCapacity(range.count * 3 * plane)
            for i in range {
                let grey = images.pixels[(i * plane)..<((i + 1) * plane)].map { 2 * $0 - 1 }
                for _ in 0..<3 { pixels += grey }
            }
            let batch = Tensor(pixels, shape: [range.count, 3, images.side, images.side])
            answers += withoutGradients { classifier.logits(batch) }.argmax(axis: 1).int32s()
                .map(Int.init)
        }
        return answers
    }
}

/// k-means on pixels with the most frequent training label of every cluster.
struct Clustering {
    /// Share of test pictures whose cluster's label is theirs.
    let accuracy: Double
    /// 2·I(labels; clusters) / (H(labels) + H(clusters)) of the test pictures.
    let mutualInformation: Double

    /// The best of five starts by the sum of squared distances.
    init(training: GreyImages, test: GreyImages, clusters: Int, seed: UInt64) {
        let width = training.side * training.side
        let rows = Tensor(training.pixels, shape: [training.count, width])
        var best: (centres: Tensor, codes: [Int32], cost: Double)?
        for start in 0..<5 {
            var generator = RandomGenerator(seed: seed, stream: 0x6B6D_0000 + UInt64(start))
            let centres = KMeans.centres(
                of: rows, count: clusters, iterations: 25, generator: &generator)
            let codes = nearestCodes(rows, codebook: centres).int32s()
            let values = centres.floats()
            var cost = 0.0
            training.pixels.withUnsafeBufferPointer { pixels in
                values.withUnsafeBufferPointer { values in
                    for (row, code) in codes.enumerated() {
                        var sum: Float = 0
                        for i in 0..<width {
                            let d = pixels[row * width + i] - values[Int(code) * width + i]
                            sum += d * d
                        }
                        cost += Double(sum)
                    }
                }
            }
            if best.map({ cost < $0.cost }) ?? true { best = (centres, codes, cost) }
        }
        guard let best else {
            accuracy = 0
            mutualInformation = 0
            return
        }
        let classes = (training.labels.max() ?? 0) + 1
        var votes = [[Int]](
            repeating: [Int](repeating: 0, count: classes), count: clusters)
        for (row, code) in best.codes.enumerated() { votes[Int(code)][training.labels[row]] += 1 }
        let named = votes.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
        let queries = Tensor(test.pixels, shape: [test.count, width])
        let found = nearestCodes(queries, codebook: best.centres).int32s().map(Int.init)
        accuracy =
            Double(found.indices.count { named[found[$0]] == test.labels[$0] })
            / Double(max(1, test.count))
        mutualInformation = Self.mutualInformation(found, test.labels)
    }

    /// Normalised by the mean of both entropies.
    static func mutualInformation(_ a: [Int], _ b: [Int]) -> Double {
        let n = Double(a.count)
        var joint: [SIMD2<Int>: Double] = [:]
        var (left, right): ([Int: Double], [Int: Double]) = ([:], [:])
        for (x, y) in zip(a, b) {
            joint[SIMD2(x, y), default: 0] += 1 / n
            left[x, default: 0] += 1 / n
            right[y, default: 0] += 1 / n
        }
        func entropy(_ shares: Dictionary<Int, Double>.Values) -> Double {
            shares.reduce(0) { $0 - $1 * log($1) }
        }
        let shared = joint.reduce(0) { sum, item in
            sum + item.value
                * log(item.value / ((left[item.key.x] ?? 1) * (right[item.key.y] ?? 1)))
        }
        let total = entropy(left.values) + entropy(right.values)
        return total > 0 ? max(0, 2 * shared / total) : 1
    }
}
