// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/credential_link.h"

#include "core/bytes.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/provenance/internal/carriers.h"

#include <string>
#include <utility>

namespace colophon::label::provenance {

std::string find_credential_link(Bytes file, Format format) {
    std::string link;
    if (format == Format::kHtml) {
        link = internal::link_in_html(file);
    } else if (format == Format::kMarkdown) {
        link = internal::link_in_markdown(file);
    } else if (const Container* container = find_container(format)) {
        auto reading = container->read(file);
        link = reading.ok() ? std::move(reading->credential_link) : std::string();
    }
    return link.substr(0, kCredentialLinkBytesMax + 1);
}

}  // namespace colophon::label::provenance
