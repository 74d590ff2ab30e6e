// The tour and the first steps. SPDX-License-Identifier: Apache-2.0
import Core
import TestSupport
import Testing

@testable import Views

@MainActor
@Suite("Tour and first steps")
struct TourTests {
    @Test("Space leads through every stop, and what it shows is made by the application")
    func tour() {
        let app = ApplicationHarness().ready()
        let tour = TourApplication(app.application, keyInterval: 0, clock: { 0 })
        var titles: [String] = []
        for _ in 0..<200 where !tour.isOver {
            let text = tour.draw(size: app.size).surface.text()
            let title = text.split(separator: "\n").first { $0.contains("Tour ") } ?? ""
            if titles.last != String(title) { titles.append(String(title)) }
            tour.handle(.key(KeyPress(" ")))
            tour.tick(now: 0)
            app.settle()
        }
        #expect(tour.isOver)
        #expect(app.state.runs.comparison.count == 3)
        #expect(app.state.runs.runs.contains { $0.edit != nil && $0.state == .done })
        #expect(app.state.mask.mask?.coverage ?? 0 > 0)
        #expect(app.state.overlays.isEmpty)
        for step in TourStep.all {
            #expect(titles.contains { $0.contains(step.title) }, "\(step.title)")
        }
        // Now it is the person's.
        tour.handle(.key(KeyPress("1")))
        #expect(app.state.layout.focus == .models)
        #expect(!tour.draw(size: app.size).surface.text().contains("Tour "))
    }

    @Test("Every stop's screen is as stored")
    func screens() {
        let app = ApplicationHarness(size: CellSize(columns: 80, rows: 24)).ready()
        let tour = TourApplication(app.application, keyInterval: 0, clock: { 0 })
        var stops: [(title: String, text: String)] = []
        for _ in 0..<200 where !tour.isOver {
            let text = tour.draw(size: app.size).surface.text()
            let line = text.split(separator: "\n").first { $0.contains("Tour ") } ?? ""
            let title = line.split(separator: "Tour ").last.map { "\($0.prefix(32))" } ?? ""
            // A stop as it looks when its keys have been pressed and what they asked for is done.
            if stops.last?.title == title { stops.removeLast() }
            stops.append((title, text))
            tour.handle(.key(KeyPress(" ")))
            tour.tick(now: 0)
            app.settle()
        }
        #expect(stops.count == TourStep.all.count)
        expectGolden(stops.map(\.text).joined(separator: "\n"), "screens/tour-80x24.txt")
    }

    @Test("Esc leaves the tour and stays in the application")
    func leaving() {
        let app = ApplicationHarness().ready()
        let tour = TourApplication(app.application, keyInterval: 0, clock: { 0 })
        #expect(tour.draw(size: app.size).surface.text().contains("Welcome"))
        tour.handle(.key(KeyPress(.escape)))
        #expect(tour.isOver && !tour.isFinished)
        tour.handle(.key(KeyPress(.enter)))
        app.settle()
        #expect(app.state.runs.runs.count == 1)
    }

    @Test("A small window has no room for captions and does not break")
    func small() {
        let app = ApplicationHarness().ready()
        let tour = TourApplication(app.application, keyInterval: 0, clock: { 0 })
        for size in [CellSize(columns: 1, rows: 1), CellSize(columns: 30, rows: 8)] {
            #expect(tour.draw(size: size).size == size)
        }
    }

    @Test("First steps are shown one by one and go away for good")
    func firstSteps() throws {
        let folder = try TemporaryFolder()
        let app = ApplicationHarness(
            stateFolder: folder.path, options: { $0.showsHints = true }
        ).ready()
        app.wait { !$0.session.isReadOnly && $0.firstSteps.isKnown }
        app.advance(60)
        #expect(app.text().contains("First steps 1/7  Enter makes a picture."))
        app.press("3")
        app.press(.enter)
        app.settle()
        app.advance(60)
        #expect(app.text().contains("2/7  R makes another one"))
        app.press("R")
        app.settle()
        app.press("e")
        app.advance(60)
        #expect(app.text().contains("4/7  Drag over what is to change"))
        app.press(" ")
        app.press(.enter)
        app.settle()
        app.press("4u")
        app.advance(60)
        #expect(app.text().contains("7/7  Ctrl-S saves"))
        app.application.shutDown()

        let second = ApplicationHarness(
            stateFolder: folder.path, options: { $0.showsHints = true }
        ).ready()
        second.wait { $0.firstSteps.isKnown }
        second.advance(60)
        #expect(second.text().contains("7/7"))
        second.application.send(.command(.hideFirstSteps))
        #expect(!second.text().contains("First steps"))
        second.application.shutDown()

        let third = ApplicationHarness(
            stateFolder: folder.path, options: { $0.showsHints = true }
        ).ready()
        third.wait { $0.firstSteps.isKnown }
        third.advance(60)
        #expect(!third.text().contains("First steps"))
        third.application.shutDown()
    }
}
