// What the tour says and which keys it presses. SPDX-License-Identifier: Apache-2.0
import Core

/// One stop: a caption, then keys that the tour presses, then something to wait for.
nonisolated struct TourStep: Sendable {
    var title: String
    var text: String
    /// Commands that the keys of which are pressed, in the pane in focus then.
    var commands: [Command] = []
    /// What must hold before the next stop.
    var isDone: @Sendable (AppState) -> Bool = { _ in true }

    /// The stops, in order. Everything is done by the application itself, on the model in memory.
    static let all: [TourStep] = [
        TourStep(
            title: "Welcome",
            text: "This is the real application on a real model. At the left the models and the "
                + "sampling schedule, in the middle the picture, beside it what the model thinks."),
        TourStep(
            title: "A first picture",
            text: "Enter makes a picture, scale by scale. Every pass is shown as it is made.",
            commands: [.focusPreview, .generate], isDone: isIdle),
        TourStep(
            title: "Every pass is kept",
            text: "The arrow keys go back and forth through the passes; the bar below shows where.",
            commands: [.scrubFirst, .scrubForward, .scrubForward]),
        TourStep(
            title: "Another one",
            text: "R makes one with a new seed. The same seed gives the same "
                + "picture, on the command line too: y copies the command.",
            commands: [.scrubLast, .runNewSeed, .copyCommand], isDone: isIdle),
        TourStep(
            title: "The schedule",
            text: "Each scale's tokens can be drawn in several mask steps. + adds one; the passes "
                + "and the predicted time follow at once.",
            commands: [.focusSchedule, .moveFirst, .moveDown, .moveDown, .moveDown, .increase]),
        TourStep(
            title: "Compared",
            text: "v makes the same seed by every variant of the model, side by side.",
            commands: [.focusPreview, .compare], isDone: isIdle),
        TourStep(
            title: "A mask",
            text: "s takes the picture to the mask. Paint with the mouse, or with "
                + "the keys as here: a box from one corner to the other.",
            commands: [.focusMask, .takeSample, .toolBox, .toggle] + box + [.toggle],
            isDone: { $0.mask.mask.map { $0.coverage > 0 } ?? true }),
        TourStep(
            title: "The edit", text: "Enter draws what is masked anew; all the rest stays.",
            commands: [.runEdit], isDone: isIdle),
        TourStep(
            title: "Before and after",
            text: "v looks at the mask, before, after, the difference, "
                + "and both side by side.",
            commands: [.nextMaskView, .nextMaskView]),
        TourStep(
            title: "Nothing is lost",
            text: "u takes a step back, U goes forward again. Z lists all "
                + "of them; any can be gone to. It survives a crash.",
            commands: [.undo, .redo, .history]),
        TourStep(
            title: "All your pictures",
            text: "o is the gallery, kept for the next start: x marks a picture, d compares two, w "
                + "shows which one grew from which.",
            commands: [.focusPreview, .viewGallery]),
        TourStep(
            title: "Symmetry",
            text: "9 finds how inputs are turned in a set of data, and puts them upright: arrows "
                + "choose an input, + and − turn it, W writes what is shown.",
            commands: [.focusSymmetry], isDone: isIdle),
        TourStep(
            title: "Find your way",
            text:
                "8 trains models by recipes. ? shows the keys of the pane, : finds any command, t "
                + "changes the theme, q leaves. That is all: the workbench is yours.",
            commands: [.focusPreview, .viewPicture]),
    ]

    private static let box =
        [Command](repeating: .moveDown, count: 6) + [Command](repeating: .moveRight, count: 9)

    private static func isIdle(_ state: AppState) -> Bool {
        !state.runs.hasUnfinished && !state.jobs.hasUnfinished
    }
}
