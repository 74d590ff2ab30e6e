// Trainings without processes: what is asked for is remembered, news come when a test says so.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport

final class FakeTrainings: TrainingSupervising, @unchecked Sendable {
    private let lock = NSLock()
    private var waiting: [String: [TrainingNews]] = [:]
    private var latest: [String: TrainingStatus] = [:]
    private var requested: [TrainingRequest] = []
    private var commands: [(TrainingCommand, String)] = []
    private let listed: [RecipeEntry]
    /// What `start` throws.
    private let refusal: String?

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    init(refusal: String? = nil, recipes: [RecipeEntry] = FakeTrainings.recipes) {
        listed = recipes
        self.refusal = refusal
    }

    static let recipes = [
        RecipeEntry(
            path: "/recipes/digits/1-tokenizer.toml", name: "digits/1-tokenizer", system: "vqvae",
            summary: "multi-scale VQ-VAE tokenizer", steps: 4000, dataKind: "mnist",
            runFolder: "/runs/digits/1-tokenizer"),
        RecipeEntry(
            path: "/recipes/digits/2-next-scale.toml", name: "digits/2-next-scale",
            system: "hmar-next-scale", summary: "HMAR phase 1", steps: 3000, dataKind: "mnist",
            runFolder: "/runs/digits/2-next-scale"),
        RecipeEntry(
            path: "/recipes/odd.toml", name: "odd",
            problem: "/recipes/odd.toml: line 3: the value is not closed."),
    ]

    /// What the application sees at its next look.
    func publish(_ news: TrainingNews, in folder: String) {
        lock.withLock { waiting[folder, default: []].append(news) }
    }

    /// A training of the first recipe with figures at every 20th step.
    static func news(
        _ phase: TrainingStatus.Phase, step: Int, from start: Int = 0, samples: [Int] = []
    ) -> TrainingNews {
        var news = TrainingNews()
        var status = TrainingStatus(
            phase: phase, name: "digits/1-tokenizer", system: "vqvae",
            title: "multi-scale VQ-VAE tokenizer", recipe: "/recipes/digits/1-tokenizer.toml",
            data: "/data/mnist", device: "CPU, 2 threads", step: step, total: 4000, process: 7,
            startedAt: 0)
        status.updatedAt = 0
        status.checkpointStep = step / 100 * 100
        status.stepsPerSecond = 3.5
        status.remaining = 600
        news.status = status
        for at in stride(from: start + 20, through: step, by: 20) {
            let t = Double(at)
            news.records.append(
                TrainingRecord(
                    kind: .training, step: at, seconds: t / 4,
                    values: [
                        .init("loss", 2 / (1 + t / 100)), .init("pixel_l1", 0.5 / (1 + t / 200)),
                        .init("vq_loss", 0.2 / (1 + t / 400)), .init("psnr", 10 + t / 50),
                        .init("learning_rate", 1e-3 * t / 4000),
                    ] + (0..<5).map { .init("usage.\($0)", min(100, t / 10 * Double($0 + 1))) }))
            if at % 500 == 0 {
                news.records.append(
                    TrainingRecord(
                        kind: .evaluation, step: at, seconds: t / 4,
                        values: [.init("psnr", 9 + t / 60)]))
            }
        }
        for at in samples {
            news.records.append(
                TrainingRecord(
                    kind: .sample, step: at, seconds: Double(at) / 4, file: "samples/\(at).png"))
        }
        return news
    }

    var requests: [TrainingRequest] { lock.withLock { requested } }
    var sent: [TrainingCommand] { lock.withLock { commands.map(\.0) } }

    // MARK: TrainingSupervising

    func recipes() -> [RecipeEntry] { listed }
    func runs() -> [String] { lock.withLock { waiting.keys.sorted() } }

    func start(_ request: TrainingRequest) throws -> String {
        if let refusal { throw Refusal(description: refusal) }
        lock.withLock { requested.append(request) }
        return request.outFolder
    }

    func send(_ command: TrainingCommand, to folder: String) throws {
        lock.withLock { commands.append((command, folder)) }
    }

    func read(_ reader: inout TrainingFolderReader) -> TrainingNews {
        lock.withLock {
            let folder = reader.folder.path
            guard var queue = waiting[folder], !queue.isEmpty else {
                var news = TrainingNews()
                news.status = latest[folder]
                return news
            }
            var news = queue.removeFirst()
            waiting[folder] = queue
            news.hasMore = !queue.isEmpty
            latest[folder] = news.status
            return news
        }
    }
}
