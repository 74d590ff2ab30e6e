// Interventions on real digits whose outcome is known beforehand.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

extension PictureSymmetryEvaluation {
    private static let swapped = 3
    private static let turn = 37.0

    /// A turn of every test picture, another law for one class, and labels that are shuffled.
    func checkFigures() throws -> [ModelCard.Metric] {
        try turnFigures() + lawFigures() + [labelFigure()]
    }

    /// Turned by 37°, a picture's corrected pose must move by that, its level by next to nothing.
    private func turnFigures() throws -> [ModelCard.Metric] {
        let engine = try engine(mean)
        let found = try poses("test pictures", of: test.images)
        let turned = try poses(
            "pictures turned by 37°",
            of: test.images.rotated(
                by: [Float](repeating: Float(Self.turn), count: test.count)))
        let still = try engine.distributions(of: found, cancellation: cancellation)
        let moved = try engine.distributions(of: turned, cancellation: cancellation)
        let errors = still.indices.map {
            abs(Rotation2.wrap(moved[$0].pose.degrees - still[$0].pose.degrees - Self.turn))
        }
        let within = errors.count { $0 <= 3 }
        let levels = AngleErrors(still.indices.map { abs(level(moved[$0]) - level(still[$0])) })
        return [
            .init(
                name: "turned by 37°: pose moves by that ± 3°",
                value: 100 * Double(within) / Double(max(1, errors.count)), unit: "%"),
            .init(
                name: "turned by 37°: pose is off by, median", value: AngleErrors(errors).median,
                unit: "°"),
            .init(
                name: "turned by 37°: level changes by, median", value: levels.median, unit: "°"),
        ]
    }

    /// One class of the bank is rotated by twice its range: its level must follow, and no other.
    private func lawFigures() throws -> [ModelCard.Metric] {
        guard case .uniform(let halfWidth) = law.law(of: Self.swapped), halfWidth <= 90 else {
            return []
        }
        var other = law
        other.classes[Self.swapped] = .uniform(halfWidth: 2 * halfWidth)
        // The seed is that of the bank, so that all other pictures are the same.
        let changed = RotatedImages(
            try uprightTraining(), law: other, seed: model.trainingData.seed,
            identifiers: try bankIndices())
        let found = try poses("test pictures", of: test.images)
        func classes(_ training: ClassPoses<Rotation2>) throws -> [Double] {
            let chosen = Self.estimator(of: law)
            let engine = try RECON(
                training: training,
                configuration: RECONConfiguration(
                    neighbours: Self.neighbours, centre: mean, family: chosen.family,
                    estimator: chosen))
            return levelErrors(
                try engine.distributions(of: found, cancellation: cancellation).map(level)
            ).classes
        }
        let before = try classes(poses("training pictures", of: bank.images))
        let after = try classes(poses("another law", of: changed.images))
        let differences = zip(after, before).map { $0 - $1 }
        let others = differences.indices.filter { $0 != Self.swapped }.map { abs(differences[$0]) }
        return [
            .init(
                name: "law of class \(Self.swapped) doubled: its level moves by",
                value: differences[Self.swapped], unit: "°",
                note: "the bank is refitted, not the network; levels now " + Self.list(after)),
            .init(
                name: "law of class \(Self.swapped) doubled: other levels move by, mean",
                value: SymmetryEstimator.mean(others), unit: "°",
                note: "some of their neighbours are of the changed class"),
        ]
    }

    /// The same pictures under shuffled labels: no input's level may differ.
    private func labelFigure() throws -> ModelCard.Metric {
        var generator = RandomGenerator(seed: seed, stream: 0x6C61_6265)
        func shuffled(_ images: GreyImages) -> GreyImages {
            GreyImages(
                side: images.side, pixels: images.pixels,
                labels: generator.permutation(images.count).map { images.labels[$0] })
        }
        let count = min(1000, test.count)
        func some(_ images: GreyImages) -> GreyImages {
            GreyImages(
                side: images.side,
                pixels: Array(images.pixels.prefix(count * images.side * images.side)),
                labels: Array(images.labels.prefix(count)))
        }
        func levels(_ training: GreyImages, _ images: GreyImages) throws -> [Double] {
            let engine = try RefinedRECON(
                training: poses("training pictures", of: training), images: training,
                configuration: RECONConfiguration(neighbours: Self.neighbours, centre: mean),
                settings: .init(rounds: 1), cancellation: cancellation)
            let found = try model.network.classPoses(of: images, cancellation: cancellation)
            return try engine.distributions(
                of: found, images: images, cancellation: cancellation
            ).map(\.level)
        }
        let plain = try levels(bank.images, some(test.images))
        let blind = try levels(shuffled(bank.images), shuffled(some(test.images)))
        return .init(
            name: "labels shuffled: levels that differ",
            value: Double(zip(plain, blind).count { $0 != $1 }), unit: nil,
            note: "of \(count) pictures; must be 0")
    }
}
