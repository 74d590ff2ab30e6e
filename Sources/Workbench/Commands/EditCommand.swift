// `workbench edit`. SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Core
import Foundation

/// Repaints parts of a picture without retraining.
struct EditCommand: ComputingCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Repaint the masked part of a picture.",
        discussion: """
            The picture may be a PNG or JPEG of any size: it is resized and cropped to the model's \
            size. The mask is a PNG of the picture's or the model's size; white is repainted.

            Examples:
              workbench edit --image seven.png --mask stroke.png --seed 3 --out edited.png
              workbench edit --image seven.png --mode class --class 9 --mask all.png --out nine.png
              workbench edit --image seven.png --mode vary --keep-scales 3 --out other.png
            """)

    @Option(help: ArgumentHelp("The picture to edit.", valueName: "file"))
    var image: String

    @Option(
        help: ArgumentHelp("The mask; needed by all modes but vary and repaint.", valueName: "file")
    )
    var mask: String?

    @Option(name: .customLong("mode"), help: "inpaint, outpaint, class, vary, repaint.")
    var editMode: EditMode = .inpaint

    @Option(help: "What holds the kept region: tokens, residual.")
    var anchor = EditAnchor.tokens

    @Option(help: "Scales kept wholly, from the coarsest; for vary, the first scale drawn anew.")
    var keepScales = 0

    @Option(help: "Cells by which the mask is grown on every token map.")
    var dilate = 0

    @Option(help: "Mask steps: one number for all scales, or one per scale: 0,1,2,3,3.")
    var steps = "2"

    @Option(help: "For repaint: percent of every map's tokens drawn anew, the least sure first.")
    var share = 25.0

    @Flag(help: "Composite the source's pixels outside the mask with a feathered edge.")
    var pasteBack = false

    @Option(help: ArgumentHelp("Where the edited picture goes.", valueName: "file"))
    var out = "edited.png"

    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var json: JSONOption
    @OptionGroup var common: CommonOptions

    func run() throws {
        let interrupt = Interrupt()
        let model = try ModelAccess(common).editor(
            sampling.model, cancellation: interrupt.cancellation)
        let request = try request(for: model)
        let progress = PassProgress(common)
        let result = try model.edit(
            request,
            control: SamplingControl(
                cancellation: interrupt.cancellation, observer: { progress.show($0) }))
        progress.clear()
        guard let picture = result.sampling.images.first else { return }
        let recipe = PictureRecipe(
            program: Version.current, card: model.card, index: 0, sampling: request.sampling,
            schedule: result.sampling.schedule, edit: request)
        try PictureMetadata.write(picture, recipe: recipe, to: out)
        let summary = SampleSummary(
            model: model.card.name, request: request.sampling, result: result.sampling,
            files: [out])
        if json.isOn {
            try Output.json(summary)
        } else if !common.quiet {
            Output.line(summary.text)
        }
    }

    private func request(for model: any ImageEditing) throws -> EditRequest {
        let geometry = model.geometry
        let (source, fit) = try ImageFile.read(path: image, side: geometry.imageSize)
        if let notice = fit.notice, !common.quiet { Output.note(notice) }
        guard (0..<geometry.patchNums.count).contains(keepScales) else {
            throw InputError(
                "--keep-scales is \(keepScales); give 0 to \(geometry.patchNums.count - 1).")
        }
        guard (0...100).contains(share) else {
            throw InputError("--share is \(share); give 0 to 100 percent.")
        }
        guard (0...geometry.imageSize).contains(dilate) else {
            throw InputError("--dilate is \(dilate); give 0 to \(geometry.imageSize) cells.")
        }
        var mask = PixelMask(
            width: geometry.imageSize, height: geometry.imageSize, filledWith: true)
        if let path = self.mask {
            mask = try MaskFile.read(path, fitting: fit, side: geometry.imageSize)
        } else if editMode.usesMask {
            throw InputError(
                "--mask is missing: \(editMode.rawValue) needs one; white is repainted.")
        }
        let settings = try sampling.request(for: model, count: 1)
        if editMode == .classEdit && settings.classLabel == nil {
            throw InputError("--class is missing: a class edit needs the class to paint.")
        }
        return EditRequest(
            source: source, mask: mask, mode: editMode, anchor: anchor, keepScales: keepScales,
            dilate: dilate, maskSteps: try maskSteps(geometry.patchNums.count),
            pasteBack: pasteBack, share: share / 100, sampling: settings)
    }

    private func maskSteps(_ scales: Int) throws -> [Int] {
        let numbers = steps.split(separator: ",").map {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        let values = numbers.compactMap { $0 }
        guard values.count == numbers.count, values.allSatisfy({ (0...10_000).contains($0) }),
            values.count == 1 || values.count == scales
        else {
            throw InputError(
                "--steps is \(steps); give one number from 0, or \(scales) parted by commas.")
        }
        return values.count == scales ? values : [Int](repeating: values[0], count: scales)
    }
}

/// Masks from files.
enum MaskFile {
    /// A mask of the model's size; one of the picture's size is fitted as the picture was.
    static func read(_ path: String, fitting fit: PictureFit, side: Int) throws -> PixelMask {
        let mask = try ImageFile.readMask(path: path)
        if mask.width == side && mask.height == side { return mask }
        guard mask.width == fit.originalWidth && mask.height == fit.originalHeight else {
            throw InputError(
                "\(path): the mask has \(mask.width)×\(mask.height) pixels; give one of the "
                    + "picture's \(fit.originalWidth)×\(fit.originalHeight) or the model's "
                    + "\(side)×\(side).")
        }
        var picture = RGBImage(width: mask.width, height: mask.height)
        for i in mask.repaint.indices where mask.repaint[i] {
            for c in 0..<3 { picture.pixels[3 * i + c] = 255 }
        }
        let fitted = fit.apply(to: picture)
        var result = PixelMask(width: side, height: side)
        for i in result.repaint.indices { result.repaint[i] = fitted.pixels[3 * i] >= 128 }
        return result
    }
}
