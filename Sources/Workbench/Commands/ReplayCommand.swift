// `workbench replay`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Makes a picture again from the recipe in its file.
struct ReplayCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Make a picture again from the recipe inside it.",
        discussion: """
            Reports whether the pixels are equal. They are on the same device, thread count and \
            weights.

            Examples:
              workbench replay samples/hmar-digits-7-1-0.png
              workbench replay picture.png --out again.png
            """)

    @Argument(help: ArgumentHelp("A PNG that the workbench wrote.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Write the picture here.", valueName: "file"))
    var out: String?

    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    private struct Report: Encodable {
        var file: String
        var model: String
        var isEqual: Bool
        var weightsAreTheSame: Bool
        var out: String?
    }

    func run() throws {
        let recipe = try PictureRecipe.read(path: file)
        let picture = try PNG.read(path: file)
        let interrupt = Interrupt()
        let access = try ModelAccess(common)
        let control = SamplingControl(cancellation: interrupt.cancellation)
        let images: [RGBImage]
        let model: any ImageSampling
        if let edit = try recipe.editRequest() {
            let editor = try access.editor(recipe.model, cancellation: interrupt.cancellation)
            try check(edit, against: editor.geometry)
            images = try editor.edit(edit, control: control).sampling.images
            model = editor
        } else {
            model = try access.imageModel(recipe.model, cancellation: interrupt.cancellation)
            images = try model.sample(recipe.sampling, control: control).images
        }
        guard images.indices.contains(recipe.index) else {
            throw InputError(
                "\(file): its recipe names picture \(recipe.index) of \(images.count).")
        }
        let again = images[recipe.index]
        if let out { try PictureMetadata.write(again, recipe: recipe, to: out) }
        let report = Report(
            file: file, model: recipe.model, isEqual: again == picture,
            weightsAreTheSame: Dictionary(
                model.card.files.map { ($0.role, $0.sha256) }, uniquingKeysWith: { a, _ in a })
                == recipe.checksums, out: out)
        if json.isOn {
            try Output.json(report)
        } else {
            Output.line(
                report.isEqual
                    ? "\(file): the same pixels."
                    : "\(file): other pixels"
                        + (report.weightsAreTheSame ? "." : "; the model's weights have changed."))
        }
        if !report.isEqual { throw ExitCode(ExitStatus.failure) }
    }

    private func check(_ edit: EditRequest, against geometry: ScaleGeometry) throws {
        guard edit.source.width == geometry.imageSize, edit.source.height == geometry.imageSize,
            edit.mask.width == geometry.imageSize, edit.mask.height == geometry.imageSize,
            edit.maskSteps.count == geometry.patchNums.count
        else {
            throw InputError("\(file): its recipe was made for a model of another size.")
        }
    }
}
