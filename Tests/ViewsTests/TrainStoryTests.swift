// Starting, steering and reading trainings in the Train pane.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Train pane")
struct TrainStoryTests {
    private let folder = "/runs/digits/1-tokenizer"

    private func app(
        _ trainings: FakeTrainings = FakeTrainings(),
        size: CellSize = CellSize(columns: 120, rows: 40)
    ) -> ApplicationHarness {
        let app = ApplicationHarness(size: size, trainings: trainings).ready()
        app.wait { $0.train.isListed }
        app.press("8")
        return app
    }

    /// With figures up to a step.
    private func running(_ phase: TrainingStatus.Phase = .running, step: Int = 1000)
        -> (app: ApplicationHarness, trainings: FakeTrainings)
    {
        let trainings = FakeTrainings()
        trainings.publish(FakeTrainings.news(phase, step: step), in: folder)
        let app = app(trainings)
        app.wait { $0.train.runs[self.folder]?.curves.isEmpty == false }
        return (app, trainings)
    }

    @Test("Enter asks for the data folder once, then starts")
    func starting() {
        let trainings = FakeTrainings()
        let app = app(trainings)
        #expect(app.text().contains("digits/1-tokenizer") && app.text().contains("unusable"))
        app.press(.enter)
        #expect(app.text().contains("Data folder"))
        app.type("/data/mnist")
        app.press(.enter)
        app.wait { _ in !trainings.requests.isEmpty }
        #expect(
            trainings.requests == [
                TrainingRequest(
                    recipePath: "/recipes/digits/1-tokenizer.toml", dataFolder: "/data/mnist",
                    outFolder: folder)
            ])
        app.wait { $0.notice?.text.contains("process of its own") == true }
        // The next recipe on the same kind of data needs no question.
        app.press("j")
        app.press(.enter)
        app.wait { _ in trainings.requests.count == 2 }
        #expect(trainings.requests.last?.dataFolder == "/data/mnist")
        #expect(trainings.requests.last?.outFolder == "/runs/digits/2-next-scale")
    }

    @Test("An empty answer leaves the data to the recipe; folders and devices can be chosen")
    func choices() {
        let trainings = FakeTrainings()
        let app = app(trainings)
        app.press("o")
        #expect(app.text().contains("Run folder"))
        app.press(KeyPress("u", .control))
        app.type("second")
        app.press(.enter)
        app.press("DD")
        #expect(
            app.state.train.device == nil && app.state.notice?.text.contains("no driver") == true)
        app.press("D")
        app.press(.enter, .enter)
        app.wait { _ in !trainings.requests.isEmpty }
        let request = trainings.requests.first
        #expect(request?.dataFolder == nil && request?.device == "cpu")
        #expect(request?.outFolder.hasSuffix("/second") == true)
    }

    @Test("What keeps a training from starting is said")
    func refusals() {
        let app = app(FakeTrainings(refusal: "/data: there is no such data folder."))
        app.press(.enter)
        app.type("/data")
        app.press(.enter)
        app.wait { $0.notice?.level == .error }
        #expect(app.state.notice?.text == "/data: there is no such data folder.")
        #expect(app.state.train.starting == nil)
        app.press("G")
        app.press("jj")
        app.press(.enter)
        #expect(app.state.notice?.text.contains("line 3") == true)
    }

    @Test("A running training is held, saved, sampled and stopped by keys")
    func steering() {
        let (app, trainings) = running()
        app.press("cs ")
        app.wait { _ in trainings.sent.count == 3 }
        trainings.publish(FakeTrainings.news(.paused, step: 1000, from: 1000), in: folder)
        app.wait { $0.train.shown?.status?.phase == .paused }
        #expect(app.text().contains("held"))
        app.press(" x")
        app.wait { _ in trainings.sent.count == 5 }
        #expect(trainings.sent == [.checkpoint, .sample, .pause, .resume, .stop])
        trainings.publish(FakeTrainings.news(.stopped, step: 1000, from: 1000), in: folder)
        app.wait { $0.train.shown?.status?.phase == .stopped }
        app.press("c")
        #expect(app.state.notice?.text.contains("does not run") == true)
        app.press(.enter)
        app.wait { _ in trainings.requests.count == 1 }
        // Where there is a checkpoint it goes on, with the data of its last run.
        #expect(trainings.requests[0].dataFolder == "/data/mnist")
        #expect(trainings.requests[0].resumes == nil)
    }

    @Test("A killed training is told of and can be resumed")
    func killed() {
        let (app, trainings) = running()
        var news = FakeTrainings.news(.lost, step: 1000, from: 1000)
        news.status?.problem = "The process was ended by signal 9."
        trainings.publish(news, in: folder)
        app.wait { $0.train.shown?.status?.phase == .lost }
        #expect(app.state.notice?.level == .error)
        #expect(app.state.notice?.text.contains("signal 9") == true)
        #expect(app.text().contains("killed"))
        app.press(.enter)
        app.wait { _ in trainings.requests.count == 1 }
    }

    @Test("Figures go on from an earlier checkpoint without a fold")
    func resumedFigures() throws {
        let (app, trainings) = running(step: 1000)
        trainings.publish(FakeTrainings.news(.running, step: 700, from: 600), in: folder)
        app.wait { $0.train.shown?.status?.step == 700 }
        let loss = try #require(app.state.train.shown?.curves.series.first)
        #expect(loss.steps.last == 700 && loss.steps == loss.steps.sorted())
        #expect(loss.steps.count == 35)
    }

    @Test("The cursor reads values; views and groups are reached by keys")
    func reading() {
        let (app, _) = running()
        #expect(app.text().contains("loss terms"))
        app.press("m")
        #expect(app.state.train.view == .curves)
        app.press(.left)
        #expect(app.state.train.cursor == 1000)
        app.press(.left)
        #expect(app.state.train.cursor == 980)
        #expect(app.text().contains("at 980"))
        app.press("]")
        #expect(app.text().contains("usage per scale"))
        app.press("f")
        #expect(app.text().contains("usage per scale, log"))
        app.press("T")
        #expect(app.text().contains("learning_rate") && app.text().contains("here"))
        app.press("g")
        #expect(app.state.train.cursor == 20)
        app.press("G")
        #expect(app.state.train.cursor == nil)
    }

    @Test("The command line is copied")
    func commandLine() {
        let (app, _) = running(.stopped)
        app.press("y")
        #expect(
            app.state.notice?.text
                == "Copied: workbench train /recipes/digits/1-tokenizer.toml --data /data/mnist "
                + "--out /runs/digits/1-tokenizer --resume")
    }

    @Test("Long figures are thinned by averages")
    func thinning() {
        var curves = TrainCurves()
        for step in 1...20_000 {
            curves.add(
                TrainingRecord(
                    kind: .training, step: step, seconds: 0,
                    values: [.init("loss", step % 2 == 0 ? 3 : 1)]))
        }
        let series = curves.series[0]
        #expect(series.steps.count <= TrainCurves.kept && series.steps.count > 900)
        #expect(series.values.suffix(500).allSatisfy { $0 == 2 })
        #expect(series.steps.last ?? 0 > 19_900)
    }

    @Test("Names fall into groups")
    func groups() {
        var curves = TrainCurves()
        curves.add(
            TrainingRecord(
                kind: .training, step: 1, seconds: 0,
                values: [
                    "loss", "ce.0", "ce.1", "accuracy.0", "gradient_norm", "masked_accuracy",
                    "learning_rate", "perceptual",
                ].map { .init($0, 1) }))
        curves.add(
            TrainingRecord(
                kind: .evaluation, step: 1, seconds: 0,
                values: ["loss", "ce.0", "masked_accuracy@0.25"].map { .init($0, 1) }))
        #expect(
            curves.groups.map(\.name) == [
                "loss terms", "ce per scale", "accuracy per scale", "ce, held out per scale",
                "gradient_norm", "masked_accuracy", "learning_rate",
            ])
        #expect(curves.groups[0].members.count == 3)
        #expect(curves.groups[5].members.count == 2)
    }

    @Test("A model moves to a GPU and back; without one the reason is said")
    func moving() {
        let app = ApplicationHarness().ready()
        app.press("1m")
        #expect(app.state.notice?.text == "There is no GPU to move to: no driver.")
        let gpu = DeviceEntry(
            name: "cuda:0", title: "NVIDIA H100", freeBytes: 70 << 30, totalBytes: 80 << 30)
        let other = ApplicationHarness(gpu: gpu).ready()
        other.wait { $0.models.devices.count == 2 }
        other.press("1m")
        other.wait { $0.models.loadedDevice == "cuda:0" && $0.models.loading == .idle }
        #expect(other.text().contains("On cuda:0: NVIDIA H100"))
        #expect(other.text().contains("70.0 GiB") && other.text().contains("80.0 GiB free"))
        #expect(SessionSnapshot(other.state).device == "cuda:0")
        other.press("m")
        other.wait { $0.models.loadedDevice == "cpu" && $0.models.loading == .idle }
    }

    @Test("W writes every group as a picture, and all figures as CSV and JSON")
    func export() throws {
        let (app, _) = running()
        app.press("W")
        #expect(app.text().contains("Enter: write"))
        app.press(KeyPress("u", .control))
        app.type("/nowhere/figures")
        app.press(.enter)
        app.wait { $0.notice?.text.hasPrefix("Wrote") == true }
        let files = app.files.files
        let run = try #require(app.state.train.runs[folder])
        for group in run.curves.groups {
            let name = "/nowhere/figures-\(TrainExport.fileName(group.name)).png"
            let bytes = try #require(files[name])
            let image = try bytes.withUnsafeBytes { try PNG.decode($0, path: name) }
            #expect(image.width == 960)
            // Something is drawn beside the white ground and the words.
            var colors: Set<[UInt8]> = []
            for i in stride(from: 0, to: image.pixels.count, by: 3) {
                colors.insert(Array(image.pixels[i..<i + 3]))
            }
            #expect(colors.count > 20)
        }
        let csv = String(decoding: try #require(files["/nowhere/figures.csv"]), as: UTF8.self)
        let rows = csv.split(separator: "\n")
        #expect(rows.first == "figure,data,step,value")
        #expect(rows.count == 1 + run.curves.series.reduce(0) { $0 + $1.steps.count })
        #expect(rows.contains { $0.hasPrefix("psnr,held out,500.0,") })
        let json = try JSONValue(parsing: try #require(files["/nowhere/figures.json"]))
        guard case .array(let objects) = json else {
            Issue.record("no array")
            return
        }
        #expect(objects.count == rows.count - 1)
    }

    @Test("Without figures there is nothing to write")
    func nothingToExport() {
        let app = app()
        app.press("W")
        #expect(app.state.overlays.isEmpty)
        #expect(app.state.notice?.text.contains("no figures") == true)
    }
}
