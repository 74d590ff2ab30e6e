// Figures of class-pose networks for pictures.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Measures a ``PictureSymmetryModel`` on digits rotated as the model's own training set was.
///
/// Everything is made again from the upright pictures and a seed. Fit and inference are given pixels
/// alone; labels and angles are read for the report.
public final class PictureSymmetryEvaluation {
    /// Pictures of the bank at most where nothing else is said.
    public static let standardBank = 12_000
    /// k of the reference's experiments.
    static let neighbours = 45
    let model: PictureSymmetryModel
    let law: RotationLaw
    /// What neighbours are looked for in: the model's training pictures.
    let bank: RotatedImages
    let test: RotatedImages
    /// The test pictures as they came.
    let upright: GreyImages
    let seed: UInt64
    let cancellation: Cancellation
    let progress: (String, Int, Int) -> Void
    private let other: PictureSymmetryModel?
    /// A network that stays as it is behind the layer.
    let classifier: ImageClassifier?
    private let folder: String
    private var kept: [String: ClassPoses<Rotation2>] = [:]
    /// Second looks of the model's own network, by their mean.
    private var secondLooks: [SymmetryMean: RefinedRECON] = [:]

    /// - Parameters:
    ///   - folder: with the four files of MNIST; nil for the standard places.
    ///   - testCount: test pictures at most.
    ///   - bankCount: training pictures in which neighbours are looked for, at most.
    ///   - classifier: of upright pictures of this size; the layer is put in front of it.
    ///   - other: another seed of the same training, to compare with.
    /// - Throws: errors of the data; ``SymmetryError``.
    public init(
        model: PictureSymmetryModel, folder: String?, testCount: Int? = nil,
        bankCount: Int = standardBank, other: PictureSymmetryModel? = nil,
        classifier: ImageClassifier? = nil, seed: UInt64 = 0,
        cancellation: Cancellation = Cancellation(),
        progress: @escaping (String, Int, Int) -> Void = { _, _, _ in }
    ) throws {
        self.model = model
        self.other = other
        self.classifier = classifier
        if let classifier {
            try ConfigurationError.require(
                classifier.configuration.imageSize == PictureBackend.side, "the classifier's size",
                "\(classifier.configuration.imageSize)", "\(PictureBackend.side), that of digits")
        }
        self.seed = seed
        self.cancellation = cancellation
        self.progress = progress
        let data = model.trainingData
        guard let law = RotationLaw.named(data.law) else {
            let known = RotationLaw.all.map(\.name)
            throw SymmetryError.unknownConstruction(
                name: data.law, nearest: nearestName(to: data.law, among: known), known: known)
        }
        self.law = law
        self.folder = try model.locate(folder: folder, isFashion: data.set == "fashion-mnist")
        bank = try RotatedImages.digits(
            folder: self.folder, part: .training, law: law,
            limit: min(bankCount, data.limit ?? bankCount), seed: data.seed)
        // Its own stream of angles: a test picture and a training picture may share a number.
        test = try RotatedImages.digits(
            folder: self.folder, part: .test, law: law, limit: testCount, seed: seed &+ 0x7E57)
        let mnist = try MNIST(folder: self.folder, part: .test)
        upright = GreyImages(mnist, indices: Array(0..<test.count))
    }

    /// - Throws: `CancellationError`, ``ConfigurationError``.
    public func run(_ part: SymmetryEvaluationPart) throws -> [ModelCard.Metric] {
        switch part {
        case .network: try networkFigures()
        case .levels: try levelFigures() + seedFigures()
        case .outside: try outsideFigures()
        case .downstream: try downstreamFigures()
        case .checks: try checkFigures()
        }
    }

    // MARK: Pieces

    /// The training pictures as they came, in the bank's order.
    func uprightTraining() throws -> GreyImages {
        GreyImages(try MNIST(folder: folder, part: .training), indices: try bankIndices())
    }

    /// Numbers of the bank's pictures in the training file.
    func bankIndices() throws -> [Int] {
        RotatedImages.indices(
            part: .training, count: try MNIST(folder: folder, part: .training).count,
            limit: bank.count, seed: model.trainingData.seed)
    }

    /// Embeddings and poses, kept by name.
    func poses(_ name: String, of images: GreyImages) throws -> ClassPoses<Rotation2> {
        if let found = kept[name] { return found }
        progress("embedding \(name)", 0, images.count)
        let found = try model.network.classPoses(of: images, cancellation: cancellation)
        kept[name] = found
        return found
    }

    /// The centre that the model was made for.
    var mean: SymmetryMean { model.isConstrained ? .none : .frechet }

    func engine(
        _ mean: SymmetryMean, estimator: SymmetryEstimator? = nil
    ) throws -> RECON<Rotation2> {
        let chosen = estimator ?? Self.estimator(of: law)
        return try RECON(
            training: try poses("training pictures", of: bank.images),
            configuration: RECONConfiguration(
                neighbours: Self.neighbours, centre: mean, family: chosen.family,
                estimator: chosen))
    }

    /// The engine that looks a second time; taken once for every mean.
    func refined(_ mean: SymmetryMean) throws -> RefinedRECON {
        if let found = secondLooks[mean] { return found }
        let made = try refined(mean, training: poses("training pictures", of: bank.images))
        secondLooks[mean] = made
        return made
    }

    /// - Parameter training: the bank as a network sees it.
    private func refined(
        _ mean: SymmetryMean, training: ClassPoses<Rotation2>
    ) throws -> RefinedRECON {
        let chosen = Self.estimator(of: law)
        progress("second look", 0, 1)
        return try RefinedRECON(
            training: training, images: bank.images,
            configuration: RECONConfiguration(
                neighbours: Self.neighbours, centre: mean, family: chosen.family,
                estimator: chosen),
            settings: .forBank(of: training.count, neighbours: Self.neighbours),
            cancellation: cancellation)
    }

    /// The estimator that the published runs use for a law.
    static func estimator(of law: RotationLaw) -> SymmetryEstimator {
        switch law.classes.last {
        case .gaussian: .gaussianHalfNormalOutliers
        case .cyclic: .cyclic
        default: .momentsOutliers
        }
    }

    /// Levels in the unit of the law's own level: degrees, or for cyclic laws the order.
    func level(_ one: PoseDistribution<Rotation2>) -> Double {
        one.isFullRotation ? 180 : one.law.level
    }

    func trueLevel(_ label: Int) -> Double {
        switch law.law(of: label) {
        case .cyclic(let order): Double(order)
        case let law: law.level ?? 0
        }
    }

    /// |mean level − true level| over classes, and over pictures.
    func levelErrors(_ levels: [Double]) -> (means: Double, samples: Double, classes: [Double]) {
        let count = law.classes.count
        var sums = [Double](repeating: 0, count: count)
        var counts = [Int](repeating: 0, count: count)
        var samples = 0.0
        for (level, label) in zip(levels, test.images.labels) {
            sums[label] += level
            counts[label] += 1
            samples += abs(level - trueLevel(label))
        }
        let means = zip(sums, counts).map { $0 / Double(max(1, $1)) }
        let error = (0..<count).reduce(0) { $0 + abs(means[$1] - trueLevel($1)) }
        return (error / Double(count), samples / Double(max(1, levels.count)), means)
    }

    /// "0: 12.1, 1: 9.3, …"
    static func list(_ values: [Double]) -> String {
        values.enumerated().map { "\($0.offset): " + String(format: "%.1f", $0.element) }
            .joined(separator: ", ")
    }

    // MARK: Network

    private func networkFigures() throws -> [ModelCard.Metric] {
        let found = try poses("test pictures", of: test.images)
        var error = 0.0
        var equivariance: [Double] = []
        for start in stride(from: 0, to: test.count, by: 500) {
            try cancellation.check()
            progress("reconstructing", start, test.count)
            let range = start..<min(start + 500, test.count)
            let images = test.images.tensor(range)
            let output = withoutGradients { model.network(images) }
            error +=
                Double(
                    InvariantEquivariantAutoencoder.losses(output, images: images)
                        .reconstruction.item()) * Double(range.count)
            equivariance += withoutGradients {
                model.network.equivarianceErrors(
                    images, vectors: output.vector, seed: seed &+ UInt64(start))
            }
        }
        let table = try engine(mean).neighbours(of: found.embeddings)
        func purity(_ k: Int) -> Double {
            let same = (0..<test.count).reduce(0) { sum, i in
                sum
                    + table[i].prefix(k).count {
                        bank.images.labels[Int($0)] == test.images.labels[i]
                    }
            }
            return 100 * Double(same) / Double(k * test.count)
        }
        let errors = AngleErrors(equivariance)
        let right = (0..<test.count).count {
            Self.vote(table[$0].prefix(5).map { bank.images.labels[Int($0)] })
                == test.images.labels[$0]
        }
        return [
            .init(name: "reconstruction error", value: error / Double(test.count), unit: "MSE")
        ] + errors.figures("equivariance error", note: "test pictures turned by any angle") + [
            .init(
                name: "collapsed vectors",
                value: 100 * Double(found.deadVectors) / Double(test.count), unit: "%"),
            .init(
                name: "5-NN on embeddings", value: 100 * Double(right) / Double(test.count),
                unit: "%"),
            .init(name: "neighbour purity, k = 45", value: purity(45), unit: "%"),
            .init(name: "neighbour purity, k = 25", value: purity(25), unit: "%"),
        ]
    }

    /// The most frequent label; the earliest of equals.
    static func vote(_ labels: [Int]) -> Int {
        var counts: [Int: Int] = [:]
        for label in labels { counts[label, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        return labels.first { counts[$0] == most } ?? -1
    }

    // MARK: Levels

    private func levelFigures() throws -> [ModelCard.Metric] {
        let found = try poses("test pictures", of: test.images)
        let truth = test.centredAngles.map { Rotation2(degrees: $0) }
        var metrics: [ModelCard.Metric] = []
        let unit = Self.estimator(of: law) == .cyclic ? "order" : "°"
        for (title, mean) in Self.means {
            progress("levels, \(title)", 0, 3)
            metrics += figures(
                title,
                try engine(mean).distributions(of: found, cancellation: cancellation), truth, unit)
        }
        // A mean is needed to centre; ssl-sym's own poses are measured without one as well.
        let seconds: [(String, SymmetryMean)] =
            (model.isConstrained ? [("pseudo-labels, second look", .none)] : [])
            + [("Fréchet, second look", .frechet)]
        for (title, mean) in seconds {
            metrics += figures(
                title,
                try refined(mean).distributions(
                    of: found, images: test.images, cancellation: cancellation), truth, unit)
        }
        if let theta = model.level {
            let levels = try amortisedLevels(theta, test.images)
            let errors = levelErrors(levels)
            metrics.append(
                .init(
                    name: "Θ network: symmetry error", value: errors.means, unit: unit,
                    note: "mean levels " + Self.list(errors.classes)))
            metrics.append(
                .init(
                    name: "Θ network: level error per picture", value: errors.samples, unit: unit))
        }
        metrics.append(try noiseFloor())
        return metrics
    }

    private static let means: [(String, SymmetryMean)] = [
        ("pseudo-labels", .none), ("Fréchet", .frechet), ("Tukey", .tukey(c: nil)),
    ]

    /// Errors of levels and poses.
    private func figures(
        _ title: String, _ distributions: [PoseDistribution<Rotation2>], _ truth: [Rotation2],
        _ unit: String
    ) -> [ModelCard.Metric] {
        let errors = levelErrors(distributions.map(level))
        let distances = truth.indices.map { distributions[$0].pose.distance(to: truth[$0]) }
        return [
            .init(
                name: "\(title): symmetry error", value: errors.means, unit: unit,
                note: "mean levels " + Self.list(errors.classes)),
            .init(name: "\(title): level error per picture", value: errors.samples, unit: unit),
        ] + AngleErrors(distances).figures("\(title): pose error")
            + AngleErrors(distances.map { min($0, 180 - $0) }).figures(
                "\(title): pose error modulo half turns",
                note: "0, 1 and 8 look alike upside down")
    }

    /// Answers of Θ for many pictures.
    func amortisedLevels(
        _ theta: SymmetryLevelNetwork, _ images: GreyImages
    ) throws -> [Double] {
        try answers(theta, images) { outputs in
            theta.output == .level
                ? outputs.floats().map(Double.init)
                : outputs.argmax(axis: 1).int32s().map { Double($0) + 1 }
        }
    }

    /// Answers of Γ for many pictures.
    private func amortisedCentres(
        _ gamma: SymmetryLevelNetwork, _ images: GreyImages
    ) throws -> [Rotation2] {
        try answers(gamma, images) { vectors in
            InvariantEquivariantAutoencoder.degrees(vectors).map { Rotation2(degrees: $0) }
        }
    }

    /// What a network answers for many pictures, some at a time.
    private func answers<Answer>(
        _ network: SymmetryLevelNetwork, _ images: GreyImages, read: (Tensor) -> [Answer]
    ) throws -> [Answer] {
        var found: [Answer] = []
        for start in stride(from: 0, to: images.count, by: 500) {
            try cancellation.check()
            let range = start..<min(start + 500, images.count)
            found += read(withoutGradients { network(images.tensor(range)) })
        }
        return found
    }

    private func noiseFloor() throws -> ModelCard.Metric {
        let still = try RotatedImages.digits(
            folder: folder, part: .training, law: RotationLaw.all[0],
            limit: min(4000, bank.count), seed: seed)
        let found = try poses("unrotated pictures", of: still.images)
        let engine = try RECON(
            training: found,
            configuration: RECONConfiguration(neighbours: Self.neighbours, centre: .frechet))
        let levels = try engine.distributionsOfTraining(cancellation: cancellation).map(\.level)
        return .init(
            name: "noise floor", value: SymmetryEstimator.mean(levels), unit: "°",
            note: "mean level that is found on pictures that were not rotated")
    }

    /// Where a network puts the natural pose of every class: the mean of ψ with the known rotation
    /// taken out.
    private func offsets(_ found: ClassPoses<Rotation2>) -> [Double] {
        law.classes.indices.map { label in
            let own = test.images.labels.indices.filter { test.images.labels[$0] == label }
            let still = own.map {
                Rotation2(degrees: -test.centredAngles[$0]) * found.poses[$0]
            }
            return still.isEmpty ? 0 : Rotation2.frechetMean(of: still).degrees
        }
    }

    private func seedFigures() throws -> [ModelCard.Metric] {
        let own = try poses("test pictures", of: test.images)
        let offsets = offsets(own)
        var metrics: [ModelCard.Metric] = [
            .init(
                name: "canonical offsets, spread",
                value: 180
                    * (1
                        - Rotation2.resultantLength(
                            of: offsets.map { Rotation2(degrees: $0) })),
                unit: "°",
                note: "raw poses of upright pictures, by class " + Self.list(offsets))
        ]
        guard let other else { return metrics }
        let training = try other.network.classPoses(of: bank.images, cancellation: cancellation)
        let found = try other.network.classPoses(of: test.images, cancellation: cancellation)
        let chosen = Self.estimator(of: law)
        let engine = try RECON(
            training: training,
            configuration: RECONConfiguration(
                neighbours: Self.neighbours, centre: .frechet, family: chosen.family,
                estimator: chosen))
        func classes(_ distributions: [PoseDistribution<Rotation2>]) -> [Double] {
            levelErrors(distributions.map(level)).classes
        }
        let pairs = [
            (
                "two seeds",
                classes(
                    try self.engine(.frechet).distributions(of: own, cancellation: cancellation)),
                classes(try engine.distributions(of: found, cancellation: cancellation))
            ),
            (
                "two seeds, second look",
                classes(
                    try refined(.frechet).distributions(
                        of: own, images: test.images, cancellation: cancellation)),
                classes(
                    try refined(.frechet, training: training).distributions(
                        of: found, images: test.images, cancellation: cancellation))
            ),
        ]
        let otherOffsets = self.offsets(found)
        let moved = zip(offsets, otherOffsets).map { abs(Rotation2.wrap($0 - $1)) }
        metrics.append(
            .init(
                name: "two seeds: raw canonicals differ by", value: SymmetryEstimator.mean(moved),
                unit: "°", note: "mean over classes; \(other.card.name): " + Self.list(otherOffsets)
            ))
        for (title, ours, theirs) in pairs {
            let differences = zip(ours, theirs).map { abs($0 - $1) }
            metrics += [
                .init(
                    name: "\(title): levels differ by, mean",
                    value: SymmetryEstimator.mean(differences), unit: "°",
                    note: "\(other.card.name): " + Self.list(theirs)),
                .init(
                    name: "\(title): levels differ by, largest", value: differences.max() ?? 0,
                    unit: "°"),
            ]
        }
        return metrics
    }

    // MARK: Outside

    private func outsideFigures() throws -> [ModelCard.Metric] {
        var generator = RandomGenerator(seed: seed, stream: 0x6F75_7473)
        let angles = (0..<upright.count).map { _ in 360 * generator.nextUniform() - 180 }
        let turned = upright.rotated(
            by: angles.indices.map {
                Float(angles[$0] + law.offset(of: upright.labels[$0]))
            })
        let truth = angles.indices.map { law.law(of: upright.labels[$0]).excludes(angles[$0]) }
        let found = try poses("pictures turned by any angle", of: turned)
        func accuracy(_ name: String, _ says: [Bool]) -> ModelCard.Metric {
            let right = truth.indices.count { truth[$0] == says[$0] }
            let classes = law.classes.indices.map { label -> Double in
                let own = truth.indices.filter { upright.labels[$0] == label }
                let good = own.count { truth[$0] == says[$0] }
                return 100 * Double(good) / Double(max(1, own.count))
            }
            return .init(
                name: name, value: 100 * Double(right) / Double(truth.count), unit: "%",
                note: "by class " + Self.list(classes))
        }
        var metrics: [ModelCard.Metric] = []
        for (title, mean) in [("pseudo-labels", SymmetryMean.none), ("Fréchet", .frechet)] {
            let distributions = try engine(mean).distributions(
                of: found, cancellation: cancellation)
            metrics.append(
                accuracy("\(title): OOD accuracy", distributions.map(\.isOutOfDistribution)))
        }
        metrics.append(
            accuracy(
                "Fréchet, second look: OOD accuracy",
                try refined(.frechet).distributions(
                    of: found, images: turned, cancellation: cancellation
                ).map(\.isOutOfDistribution)))
        if let theta = model.level {
            let levels = try amortisedLevels(theta, turned)
            let centres = try model.centre.map { try amortisedCentres($0, turned) }
            metrics.append(
                accuracy(
                    "Θ network: OOD accuracy",
                    levels.indices.map { i in
                        let centre = centres?[i] ?? .identity
                        let pose = (found.poses[i] * centre.inverse).degrees
                        return theta.output == .level
                            ? abs(pose) > levels[i]
                            : SymmetryLaw.cyclic(order: Int(levels[i])).excludes(pose)
                    }))
        }
        return metrics
    }
}
