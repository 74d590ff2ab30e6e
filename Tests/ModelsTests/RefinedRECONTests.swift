// A second look at neighbourhoods, on pictures whose class and angle are known.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Models

/// Two kinds of figures, turned by two laws, whose embeddings overlap.
private struct Figures {
    static let laws: [Double] = [10, 80]
    static let offsets: [Double] = [-30, 60]
    var images: GreyImages
    var angles: [Double]
    var found: ClassPoses<Rotation2>

    init(count: Int, seed: UInt64) {
        var generator = RandomGenerator(seed: seed)
        let labels = (0..<count).map { $0 % 2 }
        var pixels = [Float](repeating: 0, count: count * 784)
        for (i, label) in labels.enumerated() {
            // A flag to the right, or two bars: nothing like the other at any angle.
            for y in 5..<23 { pixels[i * 784 + y * 28 + 13] = 1 }
            for y in (label == 0 ? 5..<12 : 5..<8) {
                for x in 13..<(label == 0 ? 22 : 20) { pixels[i * 784 + y * 28 + x] = 1 }
            }
            if label == 1 { for x in 6..<14 { pixels[i * 784 + 21 * 28 + x] = 1 } }
        }
        angles = labels.map { Self.laws[$0] * (2 * generator.nextUniform() - 1) }
        images = GreyImages(side: 28, pixels: pixels, labels: labels).rotated(
            by: angles.map(Float.init))
        let embeddings = labels.flatMap { label in
            [Float(label), 1 - Float(label), 1].map { $0 + 0.45 * Float(generator.nextNormal()) }
        }
        found = ClassPoses(
            embeddings: FeatureMatrix(width: 3, values: embeddings),
            poses: zip(angles, labels).map { Rotation2(degrees: $0 + Self.offsets[$1]) })
    }

    /// Mean over pictures of |level − true level|.
    func error(_ distributions: [PoseDistribution<Rotation2>]) -> Double {
        let sum = distributions.indices.reduce(0) {
            $0 + abs(distributions[$1].level - Self.laws[images.labels[$1]])
        }
        return sum / Double(distributions.count)
    }
}

@Suite struct RefinedRECONTests {
    private let bank = Figures(count: 240, seed: 1)
    private let test = Figures(count: 60, seed: 2)
    private let configuration = RECONConfiguration(
        neighbours: 15, metric: .euclidean, centre: .frechet)

    @Test func aSecondLookPartsWhatTheEmbeddingsMix() throws {
        let plain = try RECON(training: bank.found, configuration: configuration)
        let refined = try RefinedRECON(
            training: bank.found, images: bank.images, configuration: configuration,
            settings: .init(candidates: 120))
        let before = test.error(try plain.distributions(of: test.found))
        let after = test.error(
            try refined.distributions(of: test.found, images: test.images))
        #expect(after < 0.75 * before, "\(before)° to \(after)°")
        #expect(
            bank.error(refined.distributionsOfTraining)
                < 0.75 * bank.error(try plain.distributionsOfTraining()))
    }

    @Test func labelsChangeNothing() throws {
        let shuffled = GreyImages(
            side: 28, pixels: bank.images.pixels,
            labels: [Int](repeating: 7, count: bank.images.count))
        let levels = try [bank.images, shuffled].map { images in
            try RefinedRECON(
                training: bank.found, images: images, configuration: configuration,
                settings: .init(candidates: 60)
            ).distributions(of: test.found, images: test.images).map(\.level)
        }
        #expect(levels[0] == levels[1])
    }

    @Test func aTurnedPictureMovesItsPoseAlone() throws {
        let refined = try RefinedRECON(
            training: bank.found, images: bank.images, configuration: configuration)
        let still = try refined.distributions(of: test.found, images: test.images)
        var found = test.found
        found.poses = found.poses.map { $0 * Rotation2(degrees: 37) }
        let moved = try refined.distributions(
            of: found,
            images: test.images.rotated(by: [Float](repeating: 37, count: test.images.count)))
        let errors = zip(still, moved).map {
            abs(Rotation2.wrap($1.pose.degrees - $0.pose.degrees - 37))
        }.sorted()
        let levels = zip(still, moved).map { abs($1.level - $0.level) }.sorted()
        // Turning blurs a picture, so that some of its 15 neighbours are others; the mean of 15 poses
        // of U(±80°) is uncertain by 12°, and so is their level.
        #expect(errors[errors.count / 2] < 3 && errors[errors.count - 1] < 12, "\(errors)")
        #expect(levels[levels.count / 2] < 10, "\(levels)")
    }

    @Test func withoutAMeanPosesStayAsTheyAre() throws {
        var configuration = configuration
        configuration.centre = .none
        let refined = try RefinedRECON(
            training: bank.found, images: bank.images, configuration: configuration)
        let found = try refined.distributions(of: test.found, images: test.images)
        for (one, pose) in zip(found, test.found.poses) {
            #expect(one.centre == .identity && one.pose == pose)
        }
    }

    /// A session on real embeddings: single questions and the table are of one look.
    @Test func sessionsLookTwice() throws {
        let root = URL(fileURLWithPath: Fixture.path("")).deletingLastPathComponent()
            .deletingLastPathComponent().path
        let network = try InvariantEquivariantAutoencoder(
            archive: TensorArchive.open(
                path: "\(root)/weights/symmetry/recon-mnist-all-autoencoder.safetensors"))
        let plane = 784
        let inputs = SymmetryInputs<[Float], Rotation2>(
            title: "figures",
            inputs: (0..<60).map {
                Array(bank.images.pixels[($0 * plane)..<(($0 + 1) * plane)])
            }, names: [], labels: Array(bank.images.labels.prefix(60)), labelNames: ["F", "L"],
            truth: bank.angles.prefix(60).map { Rotation2(degrees: $0) })
        let session = try SymmetryBankSession(
            backend: PictureBackend(network: network, level: nil, centre: nil), inputs: inputs,
            defaults: SymmetrySettings(), cancellation: Cancellation()
        ) { _, _, _ in }
        #expect(session.offer.looks == [.first, .second])
        #expect(session.offer.defaults.neighbours == 5 && session.offer.notice != nil)
        var settings = session.offer.defaults
        settings.look = .second
        let table = try session.table(settings: settings, cancellation: Cancellation()) { _, _ in }
        for input in [0, 31, 59] {
            #expect(try session.row(of: input, settings: settings) == table.rows[input])
        }
        let errors = zip(table.rows, bank.angles).map {
            abs(Rotation2.wrap($0.corrected.degrees - $1))
        }.sorted()
        #expect(errors[30] < 25, "\(errors)")
        let one = try session.distribution(
            .label(0), settings: settings, cancellation: Cancellation())
        #expect(try #require(one.fit.noiseFloor) < 60)
        let turned = try session.response(of: 3, to: .angle(90), settings: settings)
        #expect(abs(abs(turned.poseChange.degrees) - 90) < 30)
    }

    @Test func settingsOutOfRangeAreRefused() {
        for settings in [
            RefinedRECON.Settings(rounds: 0), .init(candidates: 14), .init(references: 300),
            .init(references: 10, closest: 11),
        ] {
            #expect(throws: ConfigurationError.self) {
                try RefinedRECON(
                    training: bank.found, images: bank.images, configuration: configuration,
                    settings: settings)
            }
        }
    }
}
