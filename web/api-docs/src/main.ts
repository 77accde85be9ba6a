import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

// Closed at first: with more than about 130 operations at once Swagger UI shows the first ten and no more.
SwaggerUI({ url: "/openapi.json", dom_id: "#api", deepLinking: true, docExpansion: "none", tryItOutEnabled: true, validatorUrl: null });
