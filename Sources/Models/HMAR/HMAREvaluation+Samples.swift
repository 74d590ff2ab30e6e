// Figures of samples: class agreement, FD-cls, precision, recall, nearest training pictures.
// SPDX-License-Identifier: Apache-2.0
import Core

extension HMAREvaluation {
    /// One variant's samples, class by class.
    struct Samples {
        let variant: SamplingVariant
        let images: [RGBImage]
        let labels: [Int]
    }

    /// Pictures whose nearest training picture is looked for, per set.
    static let searched = 500

    func measureSamples(into outcome: inout Outcome) throws {
        progress("held-out features", 0, 1)
        let real = try Evaluation.classify(test, by: classifier, cancellation: cancellation)
        let realLabels = (0..<test.count).map { test.label(at: $0) }
        outcome.metrics.append(
            .init(
                name: "classifier.accuracy", value: 100 * real.agreement(with: realLabels),
                unit: "%", note: "on held-out pictures"))
        let reference = FeatureStatistics(real.features)
        let perClass = sampleCount / model.geometry.classes.count
        let judged = real.features.rows(
            0..<min(real.features.count, perClass * model.geometry.classes.count))
        var sets: [(name: String, images: [RGBImage], features: FeatureMatrix)] = []
        for variant in variants {
            let samples = try draw(variant, perClass: perClass)
            let found = try Evaluation.classify(
                samples.images, by: classifier, cancellation: cancellation)
            progress("precision and recall of \(variant.rawValue)", 0, 1)
            let manifold = ManifoldPrecisionRecall(real: judged, generated: found.features)
            let name = "samples.\(variant.rawValue)"
            outcome.metrics += [
                .init(
                    name: "\(name).class_agreement",
                    value: 100 * found.agreement(with: samples.labels), unit: "%"),
                .init(
                    name: "\(name).fd_cls",
                    value: FrechetDistance.between(reference, FeatureStatistics(found.features)),
                    note: "\(samples.images.count) samples against \(test.count) held-out "
                        + "pictures; no FID"),
                .init(name: "\(name).precision", value: manifold.precision),
                .init(name: "\(name).recall", value: manifold.recall),
            ]
            if outcome.grid.isEmpty {
                outcome.grid = (0..<samples.images.count).filter { $0 % perClass < 10 }
                    .map { samples.images[$0] }
            }
            let chosen = Self.spread(samples.images.count)
            sets.append(
                (
                    name, chosen.map { samples.images[$0] },
                    Self.rows(found.features, chosen)
                ))
        }
        let chosen = Self.spread(test.count)
        sets.append(
            (
                "held_out", try chosen.map { try test.image(at: $0) },
                Self.rows(real.features, chosen)
            )
        )
        outcome.metrics += try nearestTraining(sets, reference: reference)
    }

    /// Samples of one variant with the card's defaults.
    func draw(_ variant: SamplingVariant, perClass: Int) throws -> Samples {
        let classes = model.geometry.classes.count
        var images: [RGBImage] = []
        var labels: [Int] = []
        let size = Self.requestSize(perClass)
        for label in 0..<classes {
            for start in stride(from: 0, to: perClass, by: size) {
                progress("samples of \(variant.rawValue)", images.count, perClass * classes)
                let count = min(size, perClass - start)
                // Every request has its own seed; pictures within one have their own streams.
                let request = try defaultRequest(
                    variant, label: label, count: count,
                    seed: seed &+ UInt64(label * perClass + start))
                images += try model.sample(
                    request, control: SamplingControl(cancellation: cancellation)
                ).images
                labels += [Int](repeating: label, count: count)
            }
        }
        return Samples(variant: variant, images: images, labels: labels)
    }

    /// Pictures of a request: at most 50, and where that gives at least 16 all requests alike, since a
    /// GPU's passes are recorded for one size.
    static func requestSize(_ perClass: Int) -> Int {
        (16...50).last { perClass % $0 == 0 } ?? 50
    }

    /// A request by the card's defaults.
    func defaultRequest(
        _ variant: SamplingVariant, label: Int?, count: Int, seed: UInt64
    ) throws -> SamplingRequest {
        let sides = model.geometry.patchNums
        let defaults = model.card.defaults
        return SamplingRequest(
            variant: variant, classLabel: label, count: count, seed: seed,
            cfg: defaults.cfg ?? 1.5, topK: defaults.topK ?? 0, topP: defaults.topP ?? 0,
            schedule: try defaults.schedule.map { try SamplingSchedule(patchNums: sides, rows: $0) }
                ?? .nextScaleOnly(patchNums: sides))
    }

    // MARK: Nearest training pictures

    /// How far sets of pictures are from their nearest training pictures, in pixels and features.
    ///
    /// A model that copies would be much nearer than held-out pictures are.
    private func nearestTraining(
        _ sets: [(name: String, images: [RGBImage], features: FeatureMatrix)],
        reference: FeatureStatistics
    ) throws -> [ModelCard.Metric] {
        var inPixels = sets.map { NearestSearch(Evaluation.pixels($0.images)) }
        var inFeatures = sets.map { NearestSearch($0.features) }
        var some = FeatureMatrix(width: classifier.configuration.features)
        for indices in training.batchesInOrder(ofSize: 1000) {
            try cancellation.check()
            progress("nearest training pictures", indices.first ?? 0, training.count)
            let pictures = try indices.map { try training.image(at: $0) }
            let features = try Evaluation.classify(
                pictures, by: classifier, cancellation: cancellation
            ).features
            let pixels = Evaluation.pixels(pictures)
            for i in sets.indices {
                inPixels[i].add(pixels)
                inFeatures[i].add(features)
            }
            // As many as there are samples, from all of the set: it may be sorted by class.
            let spread = indices.indices.filter { i in
                let place = indices[i]
                return (place + 1) * sampleCount / training.count
                    > place * sampleCount / training.count
            }
            some.append(Self.rows(features, Array(spread)))
        }
        var metrics: [ModelCard.Metric] = [
            .init(
                name: "held_out.fd_cls_floor",
                value: FrechetDistance.between(reference, FeatureStatistics(some)),
                note: "\(some.count) training pictures against the held-out ones")
        ]
        let width = Double(3 * model.geometry.imageSize * model.geometry.imageSize)
        for (i, set) in sets.enumerated() {
            // Root of the mean squared difference, in levels of 255.
            let levels = inPixels[i].neighbours.map { $0.distance * 255 / width.squareRoot() }
            let distances = inFeatures[i].neighbours.map(\.distance)
            metrics += [
                .init(
                    name: "\(set.name).nearest_training.pixels", value: Self.mean(levels),
                    unit: "levels", note: "mean of \(levels.count); RMS difference, 0 to 255"),
                .init(
                    name: "\(set.name).nearest_training.pixels_min", value: levels.min() ?? 0,
                    unit: "levels"),
                .init(
                    name: "\(set.name).nearest_training.features", value: Self.mean(distances)),
                .init(
                    name: "\(set.name).nearest_training.features_min",
                    value: distances.min() ?? 0),
            ]
        }
        return metrics
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }

    /// At most ``searched`` indices, evenly spread.
    private static func spread(_ count: Int) -> [Int] {
        let wanted = min(count, searched)
        return (0..<wanted).map { $0 * count / wanted }
    }

    private static func rows(_ features: FeatureMatrix, _ indices: [Int]) -> FeatureMatrix {
        FeatureMatrix(width: features.width, values: indices.flatMap { Array(features[$0]) })
    }
}
